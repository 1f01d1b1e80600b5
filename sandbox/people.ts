import type { Faults, SandboxConfig } from './config';
import { SandboxError } from './sandboxError';
import type { Recipient } from './sendmessage';

/** Who has a phone: a customer or an employee. */
export interface Person {
	userId: string;
	name: string;
	customerNo?: string;
	employeeNo?: string;
}

/** Names a person in a request to the sandbox. One of them is enough. */
export interface PersonRequest {
	customerNo?: string;
	employeeNo?: string;
	/** Diyalog's id. */
	userId?: string;
}

const names = ['customerNo', 'employeeNo', 'userId'] as const;

export class People {
	readonly all: readonly Person[];

	constructor(private readonly config: SandboxConfig) {
		this.all = [...config.customers, ...config.employees];
	}

	/** The customer of SendOTP. */
	customer(customerNo: string): Person | undefined {
		return this.all.find((person) => person.customerNo === customerNo);
	}

	/** The recipient of SendMessage. */
	recipient({ appCustomerId, appStaffId, id }: Recipient): Person | undefined {
		return this.find({ customerNo: appCustomerId, employeeNo: appStaffId, userId: id });
	}

	find(request: PersonRequest): Person | undefined {
		if (!isNamed(request)) return undefined;
		return this.all.find((person) => isMeant(person, request));
	}

	named(request: PersonRequest): Person {
		if (!isNamed(request)) {
			throw new SandboxError(400, 'Name the person by customerNo, employeeNo or userId.');
		}
		const person = this.find(request);
		if (person) return person;
		if (request.employeeNo !== undefined) {
			throw new SandboxError(404, `There is no employee "${request.employeeNo}".`);
		}
		if (request.customerNo !== undefined) {
			throw new SandboxError(404, `There is no customer "${request.customerNo}".`);
		}
		throw new SandboxError(404, `There is nobody with the user id "${request.userId}".`);
	}

	/** The recipient of a webhook's event: who the bot talks with. Only `id` is sure. */
	inEvents({ customerNo, employeeNo, userId }: Person, { customerNoInEvents }: Faults) {
		if (customerNo === undefined) {
			const { employeeAppCustomerId } = this.config;
			if (employeeAppCustomerId === 'missing') return { id: userId };
			return { appCustomerId: employeeAppCustomerId === 'empty' ? '' : employeeNo, id: userId };
		}
		if (customerNoInEvents === 'missing') return { id: userId };
		return { appCustomerId: customerNoInEvents === 'empty' ? '' : customerNo, id: userId };
	}
}

/** Whether everything that the request says is true of the person; true if it says nothing. */
export function isMeant(person: PersonRequest, request: PersonRequest): boolean {
	return names.every((name) => request[name] === undefined || request[name] === person[name]);
}

function isNamed(request: PersonRequest): boolean {
	return names.some((name) => request[name] !== undefined);
}

/** How messages and answers name their person. */
export interface Named {
	userId: string;
	/** Empty for an employee. */
	customerNo: string;
	/** Of an employee. */
	employeeNo?: string;
}

export function namesOf({ customerNo = '', employeeNo, userId }: Person): Named {
	return { customerNo, ...(employeeNo !== undefined && { employeeNo }), userId };
}
