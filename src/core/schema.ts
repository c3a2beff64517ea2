import { FuselineError } from './errors.ts';

/** The part of the Standard Schema interface (version 1) that validation needs; zod, valibot and arktype provide it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<Output> | Promise<Validated<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type Validated<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** An input type without a validator: whatever comes is taken for it. */
export function typed<T>(): StandardSchema<T, T> {
  return { '~standard': { version: 1, vendor: 'fuseline', validate: (value) => ({ value: value as T }) } };
}

/** Whether a schema is `typed()`, and checks nothing. */
export function checksNothing(schema: StandardSchema): boolean {
  return schema['~standard'].vendor === 'fuseline';
}

/** The valid value, as the schema hands it back. Rejects with `code`, and names the path. */
export async function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  what: string,
  code: 'INVALID_INPUT' | 'INVALID_SIGNAL' = 'INVALID_INPUT',
): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ message, path = [] }) => {
    const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return at === '' ? message : `${at}: ${message}`;
  });
  throw new FuselineError(code, `${what} is not valid: ${issues.join('; ')}`);
}
