import { randomBytes } from 'node:crypto';
import { send } from '../../nodes/Diyalog/actions/otp/send.operation';
import { sendAndWait } from '../../nodes/Diyalog/actions/otp/sendAndWait.operation';
import { check } from '../../nodes/Diyalog/input/problem';
import { MAX_BUTTONS } from '../../nodes/Diyalog/messages/buttons';
import { sendOtpSchema } from '../../nodes/Diyalog/messages/sendOtp';
import { waitSchema } from '../../nodes/Diyalog/wait/waitInput';

/** Checks what was entered for a message, as the operation Send does. */
export const checkMessage = (entered: object) =>
	check(
		sendOtpSchema(randomBytes),
		{ customerNo: '70021', message: 'Hello', ...entered },
		send.fields,
	);

/** Checks what was entered about the response, as Send and Wait for Response does. */
export const checkQuestion = (response: object, options: object) =>
	check(waitSchema(MAX_BUTTONS, 'customers'), { ...response, options }, sendAndWait.fields);
