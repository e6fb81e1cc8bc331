// A file of its own, because the page's policy allows no script inside the page.
window.ui = SwaggerUIBundle({
  // Relative to the page, so that it is found behind a proxy that adds a prefix, too.
  url: "openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  showCommonExtensions: true,
  showExtensions: true,
  // It would send the document to another host.
  validatorUrl: null,
});
