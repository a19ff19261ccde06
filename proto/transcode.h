/* JSON, query strings, forms and path segments -> msgpack, and msgpack -> JSON, by schema.
 *
 * Here only shapes change: keys that the table does not know, or does not let a client write, are
 * left out; times become numbers. Whether a value is good is record.h's business, so a value of the
 * wrong type travels as it is. */
#ifndef LK_PROTO_TRANSCODE_H
#define LK_PROTO_TRANSCODE_H

#include "proto/field.h"

#include <jansson.h>
#include <msgpack.h>

/* Appends the object as a map, keys in the table's order. schema NULL: nil. */
void transcode_body(const schema_t *schema, json_t *object, msgpack_packer *out);

/* Appends the known parameters of a query string (undecoded, without '?'; may be NULL) as a map.
 * Numbers and switches are read from their text. A parameter that is there twice, or can't be
 * decoded, is a fault; the map then holds the first one, or lacks it. schema NULL: nil. */
void transcode_query(const schema_t *schema, const char *query, msgpack_packer *out,
                     faults_t *faults);

/* Appends a form (application/x-www-form-urlencoded, `length` bytes) as the map of a body. As a
 * query string, but: a parameter that is repeated with the very same value is none again; what the
 * table does not know joins the rest of an open schema (up to 64; their names may be neither
 * repeated nor undecodable), and else is passed over, whatever it holds. */
void transcode_form(const schema_t *schema, const char *bytes, size_t length, msgpack_packer *out,
                    faults_t *faults);

/* Appends path parameters as a map: values[i] (undecoded, lengths[i] bytes) stands for the schema's
 * row i. One that can't be decoded travels as an empty text. schema NULL: nil. */
void transcode_path(const schema_t *schema, const char *const *values, const size_t *lengths,
                    msgpack_packer *out);

/* Appends a record's map as JSON text: keys in the map's order, times and dates as text. What the
 * table does not know is left out; what does not fit it reads as null. */
void transcode_result(const schema_t *schema, const msgpack_object *map, msgpack_sbuffer *out);

/* The same for an array of records. */
void transcode_results(const schema_t *schema, const msgpack_object *array, msgpack_sbuffer *out);

#endif
