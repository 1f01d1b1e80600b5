import type { PayloadFormat } from './format';
import { jwsFormat } from './jws';
import { jsonFormat, separatedFormat, signatureOnlyFormat } from './plainFormats';
import type { FormatSettings } from './settings';

/**
 * The format that is set. Diyalog leaves it to the company, so the common ones are verified.
 *
 * @throws SettingsProblem when its settings cannot work
 */
export function formatOf(settings: FormatSettings): PayloadFormat {
	switch (settings.payloadSignature) {
		case 'jws':
			return jwsFormat(settings);
		case 'separated':
			return separatedFormat(settings);
		case 'signatureOnly':
			return signatureOnlyFormat(settings);
		case 'json':
			return jsonFormat(settings);
	}
}
