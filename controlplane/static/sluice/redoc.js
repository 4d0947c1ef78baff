// The document of the API, to read.
"use strict";

const page = document.getElementById("redoc");

// Browsers hide an attribute `nonce` from scripts.
Redoc.init(page.dataset.document, {nonce: page.dataset.styles}, page);
