/**
 * Scripts of this page's own folder are the only ones it starts, whoever starts them: the page itself, or the storage its
 * clock. A browser that knows Trusted Types asks this policy about every one of them.
 */
interface Policy {
  createScriptURL(address: string): string | URL;
}

const rules: Policy = {
  createScriptURL(address) {
    const url = new URL(address, document.baseURI);
    if (url.origin !== location.origin) throw new TypeError(`${url.href} is not a script of this page`);
    return url.href;
  },
};
const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes;
const policy = factory?.createPolicy('default', rules) ?? rules;

export function scriptAddress(name: string): string | URL {
  return policy.createScriptURL(name);
}
