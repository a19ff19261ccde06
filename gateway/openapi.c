#include "gateway/openapi_internal.h"

#include "common/mem.h"
#include "proto/json.h"
#include "proto/registry.h"

#include <assert.h>
#include <stdarg.h>

json_t *openapi_pack(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_t *value = json_vpack_ex(NULL, 0, format, arguments);
    va_end(arguments);
    assert(value != NULL);
    return value;
}

json_t *openapi_ref(const char *kind, const char *name)
{
    return openapi_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

static json_t *info(void)
{
    static const char description[] =
        "Credentials of SIP trunks, connections and SSO identity providers.\n\n"
        "Every route but the gateway's own and those below `/sso` needs an API key, in one of the "
        "forms below or as "
        "`Authorization: Token KEY`. Members that a request's schema does not name are ignored. "
        "HEAD is answered like GET, without the body, but for a GET that begins a login or logs "
        "out, which takes none; a known path with another method is 405 "
        "with `Allow`.";
    return openapi_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "title", "Linekeeper", "version",
                        LK_VERSION, "description", description, "license", "name",
                        "Apache License 2.0", "identifier", "Apache-2.0");
}

/* Any one of them suffices. */
static json_t *security(void)
{
    return openapi_pack("[{s:[]}, {s:[]}, {s:[]}, {s:[]}]", "bearer", "basic", "x-api-token",
                        "X-Auth-Password");
}

static json_t *tags(void)
{
    json_t *all = json_array();
    for (size_t i = 0; i < registry_count; i++)
        json_array_append_new(all, openapi_pack("{s:s, s:s}", "name", registry[i]->name,
                                                "description", registry[i]->doc));
    json_array_append_new(all, openapi_pack("{s:s, s:s}", "name", "gateway", "description",
                                            "Health, and this document."));
    return all;
}

static void add_path(json_t *components, json_t *paths, const service_t *service,
                     const operation_t *operation, const char *path, const char *suffix)
{
    json_t *item = json_object_get(paths, path);
    if (item == NULL) {
        json_object_set_new(paths, path, json_object());
        item = json_object_get(paths, path);
    }
    char method[8];
    size_t length = 0;
    for (const char *c = operation->method; *c != '\0' && length + 1 < sizeof(method); c++)
        method[length++] = (char)(*c | 0x20);
    method[length] = '\0';
    json_object_set_new(item, method, openapi_operation(components, service, operation, suffix));
}

json_t *openapi_document(void)
{
    json_t *components = openapi_components();
    json_t *paths = json_object();
    for (size_t s = 0; s < registry_count; s++) {
        for (size_t i = 0; i < registry[s]->operation_count; i++) {
            const operation_t *operation = &registry[s]->operations[i];
            add_path(components, paths, registry[s], operation, operation->path, "");
            if (operation->also != NULL)
                add_path(components, paths, registry[s], operation, operation->also, "_also");
        }
    }
    openapi_add_own(components, paths);
    return openapi_pack("{s:s, s:o, s:[{s:s}], s:o, s:o, s:o, s:o}", "openapi", "3.1.0", "info",
                        info(), "servers", "url", "/", "security", security(), "tags", tags(),
                        "paths", paths, "components", components);
}

char *openapi_text(size_t *out_length)
{
    AUTO(json_release) json_t *document = openapi_document();
    size_t length = json_dumpb(document, NULL, 0, JSON_INDENT(2));
    char *text = mem_zalloc(length + 2);
    size_t written = json_dumpb(document, text, length, JSON_INDENT(2));
    assert(written == length);
    (void)written;
    text[length] = '\n';
    *out_length = length + 1;
    return text;
}
