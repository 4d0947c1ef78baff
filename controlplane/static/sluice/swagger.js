// The document of the API, to try calls as who is logged in, or with a token.
"use strict";

const page = document.getElementById("swagger");
const csrf = () => document.cookie.match(/(?:^|; )sluice_csrf=([^;]*)/)?.[1] ?? "";

SwaggerUIBundle({
  url: page.dataset.document,
  domNode: page,
  deepLinking: true,
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin === location.origin) request.headers["X-CSRFToken"] = csrf();
    return request;
  },
});
