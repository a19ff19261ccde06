# shellcheck shell=bash
# A container engine for one test, without installing anything and without an image registry: Debian's
# own packages, unpacked into a directory of ours, and a base image made by debootstrap. Everything
# comes from the mirror that this machine's apt already uses, checked by apt. Sourced after common.sh
# by run.sh and inside.sh; the latter runs it where nothing outlives it.

readonly BASE_IMAGE=debian:bookworm-slim # what deploy/Dockerfile begins with
readonly DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly ENGINE_CGROUP=linekeeper-compose
readonly SKIPPED=77
readonly FROM_BOOKWORM=(docker.io containerd runc debootstrap iptables libip4tc2 libip6tc2 libmnl0 libnetfilter-conntrack3
    libnfnetlink0 libnftnl11 libxtables12)
readonly FROM_TRIXIE=(docker-compose docker-buildx) # bookworm has no Compose v2

skip() {
    printf 'compose: skipped: %s\n' "$1"
    exit "$SKIPPED"
}

# engine_at DIRECTORY: where all of it is; what is there already is used again.
engine_at() {
    ENGINE=$1
    UNPACKED=$ENGINE/packages
    mkdir -p "$ENGINE"
    export PATH=$UNPACKED/usr/sbin:$UNPACKED/usr/bin:$PATH
    export DOCKER_HOST=unix://$ENGINE/docker.sock DOCKER_CONFIG=$ENGINE/config
}

# The mirror of Debian's packages in the machine's apt sources; nothing if there is none.
engine_mirror() {
    { cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true; } |
        sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' |
        awk '/\/debian\/?$/ && !found { found = 1; print }'
}

# apt with lists and caches of its own: the machine's stay as they are.
own_apt() {
    local state=$ENGINE/apt
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    apt-get -q -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state" -o APT::Sandbox::User=root "$@"
}

# The engine calls it in each container's network, to lead name lookups to itself.
wrap_iptables() {
    local name libraries=("$UNPACKED"/usr/lib/*-linux-gnu)
    for name in iptables ip6tables; do
        rm -f "$UNPACKED/usr/sbin/$name" || return 1
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%s XTABLES_LIBDIR=%s/xtables exec %s/usr/sbin/xtables-nft-multi %s "$@"\n' \
            "${libraries[0]}" "${libraries[0]}" "$UNPACKED" "$name" >"$UNPACKED/usr/sbin/$name" || return 1
        chmod 755 "$UNPACKED/usr/sbin/$name" || return 1
    done
}

# The programs. Slow the first time only. Whoever asks whether it failed turns errexit off in here: so every step says so.
engine_fetch() {
    local mirror suite file
    if [[ -e $ENGINE/fetched ]]; then
        return 0
    fi
    mirror=$(engine_mirror)
    rm -rf "$ENGINE/apt" "$ENGINE/debs" "$UNPACKED" || return 1
    mkdir -p "$ENGINE/apt" "$ENGINE/debs" || return 1
    for suite in bookworm trixie; do
        printf 'deb [signed-by=%s] %s %s main\n' "$DEBIAN_KEYRING" "$mirror" "$suite"
    done >"$ENGINE/apt/sources.list" || return 1
    own_apt update || return 1
    (cd "$ENGINE/debs" && own_apt download "${FROM_BOOKWORM[@]/%//bookworm}" "${FROM_TRIXIE[@]/%//trixie}") || return 1
    for file in "$ENGINE"/debs/*.deb; do
        dpkg-deb -x "$file" "$UNPACKED" || return 1
    done
    rm -rf "$ENGINE/apt" "$ENGINE/debs" || return 1
    wrap_iptables || return 1
    mkdir -p "$DOCKER_CONFIG/cli-plugins" || return 1
    ln -sf "$UNPACKED"/usr/libexec/docker/cli-plugins/* "$DOCKER_CONFIG/cli-plugins/" || return 1
    touch "$ENGINE/fetched"
}

# No caches in layers and no documentation, as in Debian's own image of that name.
trim_base() {
    local root=$1
    rm -f "$root"/etc/apt/sources.list "$root/etc/hostname" || return 1
    : >"$root/etc/resolv.conf" || return 1
    cp /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/" 2>/dev/null ||
        cp /etc/apt/sources.list "$root/etc/apt/" || return 1
    apt-config dump | grep -E '^Acquire::https?::Proxy ' >"$root/etc/apt/apt.conf.d/machine-proxy" || true
    printf '%s\n' 'Dir::Cache::pkgcache "";' 'Dir::Cache::srcpkgcache "";' 'Acquire::Languages "none";' \
        'Acquire::GzipIndexes "true";' 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };' \
        >"$root/etc/apt/apt.conf.d/image" || return 1
    printf 'path-exclude /usr/share/%s/*\n' man info locale doc >"$root/etc/dpkg/dpkg.cfg.d/image" || return 1
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" || return 1
    chmod 755 "$root/usr/sbin/policy-rc.d" || return 1
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/* \
        "$root"/usr/share/{man,info,locale,doc}/* "$root"/var/log/*.log
}

# The base image, as a file. Slow the first time only.
engine_base() {
    local root=$ENGINE/rootfs
    if [[ -e $ENGINE/base.tar ]]; then
        return 0
    fi
    rm -rf "$root" || return 1
    DEBOOTSTRAP_DIR=$UNPACKED/usr/share/debootstrap \
        debootstrap --variant=minbase bookworm "$root" "$(engine_mirror)" || return 1
    trim_base "$root" || return 1
    tar -C "$root" --numeric-owner --sort=name -cf "$ENGINE/base.tar.new" . || return 1
    rm -rf "$root" || return 1
    mv "$ENGINE/base.tar.new" "$ENGINE/base.tar"
}

# Without firewall rules, forwarding or a bridge of its own: networks of compose work, and their
# containers reach nothing outside.
engine_start() {
    local tries
    rm -rf "$ENGINE/docker.pid" "$ENGINE/exec"
    dockerd --data-root "$ENGINE/data" --exec-root "$ENGINE/exec" -p "$ENGINE/docker.pid" -H "$DOCKER_HOST" \
        --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false --bridge=none \
        --cgroup-parent="/$ENGINE_CGROUP" >"$ENGINE/dockerd.log" 2>&1 </dev/null &
    ENGINE_PID=$!
    for ((tries = 0; tries < 300; tries++)); do
        if docker version >/dev/null 2>&1; then
            return 0
        fi
        kill -0 "$ENGINE_PID" 2>/dev/null || break
        read -r -t 0.1 <> <(:) || true
    done
    return 1
}

engine_stop() {
    kill "$ENGINE_PID"
    wait "$ENGINE_PID" || true
}

# What a run, perhaps a killed one, has left in the engine's own records; images stay.
engine_clear() {
    local ids
    mapfile -t ids < <(docker ps -aq)
    if ((${#ids[@]} > 0)); then
        docker rm -fv "${ids[@]}" >/dev/null
    fi
    docker network prune -f >/dev/null
    docker volume prune -f >/dev/null
}

# What it leaves in the kernel: nobody is in these groups any more.
engine_forget() {
    find /sys/fs/cgroup -depth -path "*/$ENGINE_CGROUP*" -type d -exec rmdir {} + 2>/dev/null || true
}

# The base image, if the engine does not have it.
engine_load_base() {
    docker image inspect "$BASE_IMAGE" >/dev/null 2>&1 ||
        docker import -c 'CMD ["bash"]' "$ENGINE/base.tar" "$BASE_IMAGE" >/dev/null
}

# What docker-compose.yml asks of an engine, asked of this one with a container that does nothing. Says what fails.
engine_probe() {
    local limits status=0
    limits=$(docker info -f '{{.MemoryLimit}} {{.CPUCfsQuota}} {{.PidsLimit}}') || return 1
    if [[ $limits != "true true true" ]]; then
        echo "limits of memory, processor and processes: $limits"
        return 1
    fi
    docker network create probe >/dev/null || return 1
    docker run --rm --network probe --user 10001:10001 --read-only --cap-drop ALL --security-opt no-new-privileges:true \
        --tmpfs /tmp:size=16m,mode=1777,noexec,nosuid,nodev --memory 64m --cpus 1 --pids-limit 50 \
        "$BASE_IMAGE" true || status=$?
    docker network rm probe >/dev/null || return 1
    return "$status"
}
