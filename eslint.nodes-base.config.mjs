import tsParser from '@typescript-eslint/parser';
import nodesBase from 'eslint-plugin-n8n-nodes-base';

/**
 * The rule sets of eslint-plugin-n8n-nodes-base 2 itself; `n8n-node lint` brings an older copy of the plugin.
 * A rule is off only where it contradicts what n8n demands of verified community nodes, as in n8n's own configuration.
 */
export default [
	{
		plugins: { 'n8n-nodes-base': nodesBase },
		languageOptions: { parser: tsParser, parserOptions: { extraFileExtensions: ['.json'] } },
		linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
	},
	{ files: ['package.json'], rules: nodesBase.configs.community.rules },
	{
		files: ['credentials/**/*.ts'],
		rules: {
			...nodesBase.configs.credentials.rules,
			// Wants a camel-case page name of docs.n8n.io, which only n8n's own credentials have.
			'n8n-nodes-base/cred-class-field-documentation-url-miscased': 'off',
		},
	},
	{
		files: ['nodes/**/*.ts'],
		rules: {
			...nodesBase.configs.nodes.rules,
			// Want the literal 'main', where verification demands NodeConnectionTypes.Main.
			'n8n-nodes-base/node-class-description-inputs-wrong-regular-node': 'off',
			'n8n-nodes-base/node-class-description-outputs-wrong': 'off',
		},
	},
];
