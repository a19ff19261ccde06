/* How the pages of single sign-on look: the one style that their Content-Security-Policy admits, by
 * its hash. A test compares the two. Colours keep a contrast of 4.5 and more (WCAG 2.1, 1.4.3). */
#ifndef LK_PROTO_SSO_STYLE_H
#define LK_PROTO_SSO_STYLE_H

/* clang-format off */
#define SSO_STYLE \
    ":root{color-scheme:light dark}" \
    "*{box-sizing:border-box}" \
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;" \
    "font:1.0625rem/1.5 system-ui,sans-serif;color:#1b1f24;background:#f3f4f6}" \
    "main{width:100%;max-width:32rem;padding:2rem;border-radius:.5rem;background:#fff;" \
    "overflow-wrap:anywhere}" \
    "h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}" \
    "p,dl{margin:0 0 1rem}" \
    "dt{font-weight:600}" \
    "dd{margin:0 0 .75rem}" \
    "button{min-height:2.75rem;padding:.5rem 1.25rem;border:0;border-radius:.375rem;" \
    "font:inherit;font-weight:600;color:#fff;background:#0b57b0;cursor:pointer}" \
    "a{color:#0b57b0}" \
    "button:focus-visible,a:focus-visible{outline:3px solid #b35c00;outline-offset:2px}" \
    "@media (prefers-color-scheme:dark){body{color:#e6e8eb;background:#15181c}main{" \
    "background:#22272e}a{color:#8ec1ff}button{color:#10141a;background:#8ec1ff}" \
    "button:focus-visible,a:focus-visible{outline-color:#ffb74d}}"
/* clang-format on */

/* A source of style-src (CSP Level 3, 2.3.1): SHA-256 of SSO_STYLE, in base64. */
#define SSO_STYLE_HASH "'sha256-tDOomr7MI6DyRqqVojSk2HlYpLLWhwRpUl91TStbx3E='"

/* The pages' Content-Security-Policy. form-action: Chromium applies it to where a form's answer
 * redirects, too, and a log-out goes on to the identity provider, wherever that is. */
#define SSO_POLICY                                                                                 \
    "default-src 'none'; style-src " SSO_STYLE_HASH "; form-action 'self' https: http:; "          \
    "base-uri 'none'; frame-ancestors 'none'"

#endif
