// The value of the one secret of a simulated world. It must not stand in any document.

export const SECRET = "a-token-for-tests";
