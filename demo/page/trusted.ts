/** Scripts of this page's own folder, as a browser that demands Trusted Types wants them named. */
interface Policy {
  createScriptURL(address: string): string | URL;
}

const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes;
const rules: Policy = {
  createScriptURL(address) {
    const url = new URL(address, document.baseURI);
    if (url.origin !== location.origin) throw new TypeError(`${url.href} is not a script of this page`);
    return url.href;
  },
};
const policy = factory?.createPolicy('fuseline', rules) ?? rules;

export function scriptAddress(name: string): string | URL {
  return policy.createScriptURL(name);
}
