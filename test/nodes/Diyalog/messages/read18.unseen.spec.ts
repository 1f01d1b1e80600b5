import { withCall } from '../../../../nodes/Diyalog/messages/shownCall';

const ZW = '\u200b';
const RLO = '\u202e';
it.each([ZW, RLO])(
	'author cleans the item of a sign that he has written in the expression: %j',
	(sign) => {
		const entered = `=Pay for {{ $json.name.replaceAll('${sign}', '') }}? {{ $tool.name }}: {{ $tool.parameters }}`;
		const call = `Transfer: ${JSON.stringify({ amount: `1${sign}0` })}`;
		const message = `Pay for Zeynep? ${call}`;
		const shown = withCall(message, call, entered, true);
		expect(shown).not.toContain(sign);
	},
);
