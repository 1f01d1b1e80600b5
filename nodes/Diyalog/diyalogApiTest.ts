import { randomUUID } from 'node:crypto';
import { sendOtpRequest } from './messages/sendOtp';
import { credentialTest } from './transport/credentialTest';

/** A message for a customer who cannot exist: a fresh UUID is nobody's number, so that no person can ever get it. */
const requestToNobody = () =>
	sendOtpRequest({
		customerNo: `n8n-credential-test-${randomUUID()}`,
		messageId: randomUUID(),
		mokMessage: 'n8n credential test',
	});

/** The test of the credential, as both nodes offer it. */
export const diyalogApiTest = credentialTest(requestToNobody);
