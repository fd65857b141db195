# options.bash - what the two shops' `run` have in common: their options, and how their servers are started. To be sourced by
# a `run` that begins with its help.
#
# Sets data, cache, port, build, check, seconds.
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
trace=traces/product-pages.keys.xz

complain() {
    echo "run: $*" >&2
    exit 2
}

# value OPTION VALUE... - fails if the option's value is missing.
value() {
    [ $# -ge 2 ] && [ -n "$2" ] || complain "$1 needs a value"
}

is_number() {
    [[ $1 =~ ^[0-9]{1,6}$ ]] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

parse() {
    data='' cache=redis port='' build=$root/build check=no seconds=''
    while [ $# -gt 0 ]; do
        case $1 in
        --data | --cache | --port | --build | --seconds)
            value "$@"
            declare -g "${1#--}=$2"
            shift 2
            ;;
        --check)
            check=yes
            shift
            ;;
        --help | -h)
            sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$here/run"
            exit 0
            ;;
        *) complain "unknown option $1: there are --data, --cache, --port, --build, --check and --seconds" ;;
        esac
    done
}

validate() {
    case $cache in
    redis | valkey | redis-tls | memcached | memory | none) ;;
    *) complain "--cache $cache: must be redis, valkey, redis-tls, memcached, memory or none" ;;
    esac
    [ -z "$port" ] || is_number "$port" 1 65535 || complain "--port $port: must be a whole number from 1 to 65535"
    [ -z "$seconds" ] || [ $check = yes ] || complain "--seconds only goes with --check"
    [ -z "$seconds" ] || is_number "$seconds" 20 86400 || complain "--seconds $seconds: must be from 20 to 86400"
    [ -z "$data" ] || [ -d "$data" ] || complain "--data $data: no such directory"
    [ -z "$data" ] || [ -d "$data/catalogue" ] || complain "--data $data: there is no folder catalogue in it"
    [ -z "$data" ] || [ $check = no ] || [ -f "$data/$trace" ] || complain "--data $data: there is no $trace in it"
}

# The launcher need not start its command in this directory.
make_absolute() {
    [ -z "$data" ] || data=$(cd "$data" && pwd)
    case $build in
    /*) ;;
    *) build=$PWD/$build ;;
    esac
}

# In bash, not Python: on a bare machine nothing else is there yet, and nobody shall wait minutes to hear this.
require_free_port() {
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        complain "port $port of 127.0.0.1 is in use: give another with --port"
    fi
}

# build_in TARGET [OPTION...] - builds a target of meson's; what the compiler says is shown only if it fails.
build_in() {
    local verb=setup
    if [ -f "$build/build.ninja" ]; then
        verb=configure
    fi
    [ $# -eq 1 ] && [ $verb = configure ] || (cd "$root" && meson $verb "$build" "${@:2}" >/dev/null) || exit 1
    meson compile -C "$build" "$1" >"$build/shop.log" 2>&1 || {
        cat "$build/shop.log" >&2
        exit 1
    }
}

# read_options ARGUMENT... - from the command line, or says what is wrong with it.
read_options() {
    parse "$@"
    validate
    make_absolute
    if [ $check = no ]; then
        port=${port:-8080}
    fi
    [ -z "$port" ] || require_free_port
}

# serve SERVER [OPTION OF demo.py...] - among servers of its own; does not return.
serve() {
    local servers=(--replicas 2) demo=(--server "$1" --cache "$cache" "${@:2}")
    case $cache in
    redis | valkey | redis-tls) servers+=("--$cache") ;;
    esac
    [ "$cache" != memcached ] || servers+=(--memcached 3)
    [ -z "$data" ] || demo+=(--data "$data")
    [ -z "$port" ] || demo+=(--port "$port")
    [ $check = no ] || demo+=(--check "${seconds:-40}")
    exec "$root/tests/launcher/launch" run "${servers[@]}" -- python3 -B "$root/examples/storefront/demo.py" "${demo[@]}"
}
