/**
 * A node as another package may have it: it evaluates what stands in braces of its text, also where a model has written them, and puts
 * the values in with JavaScript's replacement.
 */
class Statement {
	description = {
		displayName: 'Statement',
		name: 'statement',
		group: ['transform'],
		version: 1,
		description: 'Sends a text',
		defaults: { name: 'Statement' },
		usableAsTool: true,
		inputs: ['main'],
		outputs: ['main'],
		properties: [
			{ displayName: 'URL', name: 'url', type: 'string', default: '' },
			{ displayName: 'Text', name: 'text', type: 'string', default: '' },
		],
	};

	async execute() {
		const url = this.getNodeParameter('url', 0);
		let text = this.getNodeParameter('text', 0);
		for (const [braces] of text.matchAll(/\{\{[^]*?\}\}/g)) {
			text = text.replace(braces, this.evaluateExpression(braces, 0));
		}
		const headers = { 'content-type': 'application/json' };
		await fetch(url, {
			method: 'POST',
			headers,
			body: JSON.stringify({ text }),
		});
		return [[{ json: { text } }]];
	}
}

module.exports = { Statement };
