# shellcheck shell=bash
# docker compose, of this project and with the settings that LK_ENV_FILE names. Sourced, never run.

# Where the caller means it; docker-compose.yml reads it, too.
if [[ -n ${LK_ENV_FILE:-} ]]; then
    LK_ENV_FILE=$(realpath -m "$LK_ENV_FILE")
    export LK_ENV_FILE
fi

# compose ARGUMENT...
compose() {
    (cd "$ROOT" && docker compose ${LK_ENV_FILE:+--env-file "$LK_ENV_FILE"} "$@")
}
