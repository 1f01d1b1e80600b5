import { z } from 'zod';
import { buttonSchema } from './buttons';

// Unknown fields are dropped, not refused: the documentation does not forbid them.
export const otpSchema = z.object({
	customerNo: z.string(),
	messageId: z.string(),
	mokMessage: z.string(),
	mokValue: z.string().optional(),
	imageUrl: z.string().optional(),
	txCode: z.string().optional(),
	deviceId: z.string().optional(),
	buttonsV2: z.array(buttonSchema).optional(),
});

export type Otp = z.infer<typeof otpSchema>;
