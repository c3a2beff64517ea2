import { FuselineError } from '../core/errors.ts';

/** The part of JSON Schema that requests are described in. */
export type Shape = StringShape | IntegerShape | ArrayShape | EntriesShape | ObjectShape | typeof ANYTHING;

export interface StringShape {
  readonly type: 'string';
  readonly pattern?: string;
  /** 256 unless told. */
  readonly maxLength?: number;
  readonly enum?: readonly string[];
}

export interface IntegerShape {
  readonly type: 'integer';
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface ArrayShape {
  readonly type: 'array';
  readonly items: Shape;
  readonly maxItems: number;
}

/** An object whose names are the caller's own. */
export interface EntriesShape {
  readonly type: 'object';
  readonly additionalProperties: Shape;
  readonly maxProperties: number;
}

export interface ObjectShape {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties: false;
}

/** Any JSON. */
export const ANYTHING = { description: 'any JSON' } as const;

/** What a value of a shape is. */
export type Shaped<S> = S extends { readonly enum: readonly (infer Word)[] }
  ? Word
  : S extends { readonly type: 'string' }
    ? string
    : S extends { readonly type: 'integer' }
      ? number
      : S extends { readonly items: infer Item }
        ? readonly Shaped<Item>[]
        : S extends { readonly properties: infer Properties; readonly required: readonly (infer Name)[] }
          ? Optional<Omit<Properties, Name & string>> & Needed<Pick<Properties, Name & keyof Properties>>
          : S extends { readonly properties: infer Properties }
            ? Optional<Properties>
            : S extends { readonly additionalProperties: infer Entry; readonly maxProperties: number }
              ? Readonly<Record<string, Shaped<Entry>>>
              : unknown;

type Optional<Properties> = { readonly [Name in keyof Properties]?: Shaped<Properties[Name]> };
type Needed<Properties> = { readonly [Name in keyof Properties]: Shaped<Properties[Name]> };

/** How deep a JSON value may be. */
const MAX_DEPTH = 64;

/** The value, if it is of this shape. Throws `INVALID_REQUEST`, which says where it is not. */
export function shaped<T>(value: unknown, shape: Shape, what: string): T {
  const wrong = mismatch(value, shape, what);
  if (wrong !== undefined) throw new FuselineError('INVALID_REQUEST', wrong);
  return value as T;
}

function mismatch(value: unknown, shape: Shape, at: string): string | undefined {
  if (!('type' in shape))
    return isDeeper(value, MAX_DEPTH) ? `${at} is nested deeper than ${MAX_DEPTH} levels` : undefined;
  switch (shape.type) {
    case 'string':
      return stringMismatch(value, shape, at);
    case 'integer': {
      const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = shape;
      const fits = Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
      return fits ? undefined : `${at} is ${shown(value)}; it must be a whole number from ${minimum} to ${maximum}`;
    }
    case 'array':
      return itemMismatch(value, shape, at);
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return `${at} is ${shown(value)}; it must be an object`;
      return 'properties' in shape ? propertyMismatch(value, shape, at) : entryMismatch(value, shape, at);
    }
  }
}

function stringMismatch(value: unknown, shape: StringShape, at: string): string | undefined {
  const { pattern, maxLength = 256, enum: names } = shape;
  if (typeof value !== 'string') return `${at} is ${shown(value)}; it must be a string`;
  if (names)
    return names.includes(value) ? undefined : `${at} is ${shown(value)}; it must be one of ${names.join(', ')}`;
  if (value.length > maxLength) return `${at} has ${value.length} characters; ${maxLength} are the most`;
  if (pattern !== undefined && !new RegExp(pattern).test(value))
    return `${at} is ${shown(value)}; it must match ${pattern}`;
  return undefined;
}

function itemMismatch(value: unknown, { items, maxItems }: ArrayShape, at: string): string | undefined {
  if (!Array.isArray(value)) return `${at} is ${shown(value)}; it must be an array`;
  if (value.length > maxItems) return `${at} has ${value.length} items; ${maxItems} are the most`;
  for (const [i, item] of value.entries()) {
    const wrong = mismatch(item, items, `item ${i} of ${at}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function propertyMismatch(value: object, { properties, required = [] }: ObjectShape, at: string): string | undefined {
  const known = new Map(Object.entries(properties));
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${at} lacks ${JSON.stringify(missing)}`;
  for (const [name, item] of Object.entries(value)) {
    const shape = known.get(name);
    if (!shape) return `${at} has ${shown(name)}; it may have ${[...known.keys()].join(', ')}`;
    const wrong = mismatch(item, shape, `${name} in ${at}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function entryMismatch(
  value: object,
  { additionalProperties, maxProperties }: EntriesShape,
  at: string,
): string | undefined {
  const entries = Object.entries(value);
  if (entries.length > maxProperties) return `${at} has ${entries.length} entries; ${maxProperties} are the most`;
  for (const [name, item] of entries) {
    const wrong = mismatch(item, additionalProperties, `${shown(name)} in ${at}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => isDeeper(item, depth - 1));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
