import { fs, path, projectRoot } from '../../../../tools/system';
import { formatNamed, newPhone } from '../../../support/signedFormats';
import { sentPayload, SignedQuestions } from '../../../support/signedQuestions';

/* Require Signed Payload, entered in ways that the editor does not offer. */

const COMPANY = newPhone();

const questions = new SignedQuestions();

/* n8n drops what is no object before a node is asked; the node cannot see it. docs/security.md says so under Not protected. */
it('1. all options as one expression: n8n passes none of them on, as is documented, so the question is an unsigned one', async () => {
	await questions.use(formatNamed('payload, separator, signature'), {
		payloadSignatureKeys: 'company',
		payloadSignaturePublicKey: COMPANY.publicKey,
	});
	const asked = await questions.ask({ options: '={{ { requireSignedPayload: true } }}' });
	expect(sentPayload(asked)).not.toContain('~');
	const text = await fs.readFile(path.join(projectRoot, 'docs/security.md'), 'utf8');
	expect(text).toContain('**Options as one expression are no options.**');
});

it("2. Whose Key as an expression that gives nothing: the credential's key does not take the place of the person's own", async () => {
	questions.enter(formatNamed('payload, separator, signature'), {
		payloadSignaturePublicKey: COMPANY.publicKey,
		payloadSignatureKeys: '={{ $vars.whoseKey }}',
	});
	await questions.ask({ options: { requireSignedPayload: true } }).catch(() => undefined);
	expect(questions.sandbox.messages()).toEqual([]);
});
