import type { INodeProperties } from 'n8n-workflow';

/** How often something may be sent to one person, as the editor asks for it. */
interface LimitsOption {
	displayName: string;
	name: string;
	description: string;
	displayOptions?: INodeProperties['displayOptions'];
	/** what is sent, e.g. code */
	thing: string;
	/** how many there can be within the window */
	count: Pick<INodeProperties, 'displayName' | 'name' | 'typeOptions' | 'description'>;
	maxWindowMinutes: number;
	maxGapSeconds: number;
	/** what counts when the option is added */
	usual: { count: number; windowMinutes: number; firstGapSeconds: number };
}

/** An option that limits how often something is sent to one person, in the order of use. */
export const limitsOption = ({
	thing,
	count,
	maxWindowMinutes,
	maxGapSeconds,
	usual: { count: usualCount, windowMinutes, firstGapSeconds },
	...option
}: LimitsOption): INodeProperties => ({
	...option,
	type: 'fixedCollection',
	default: { values: { [count.name]: usualCount, windowMinutes, firstGapSeconds } },
	options: [
		{
			displayName: 'Values',
			name: 'values',
			values: [
				{ ...count, type: 'number', default: usualCount },
				{
					displayName: 'Window (Minutes)',
					name: 'windowMinutes',
					type: 'number',
					typeOptions: { minValue: 1, maxValue: maxWindowMinutes },
					default: windowMinutes,
				},
				{
					displayName: 'First Gap (Seconds)',
					name: 'firstGapSeconds',
					type: 'number',
					typeOptions: { minValue: 0, maxValue: maxGapSeconds },
					default: firstGapSeconds,
					description: `How long after the first ${thing} the second can follow. The gap doubles with every further ${thing}, nine times at most. 0 for no gap.`,
				},
			],
		},
	],
});
