# Turns into the daemon ("$@"), beside a watcher that outlives it. When the test has gone, in
# whatever way, standard input closes: the watcher ends the daemon and removes its folder.
exec 3<&0 </dev/null
folder=$1
shift
(
    trap '' INT HUP TERM
    read -r _ <&3
    kill "$$"
    looks=0
    while kill -0 "$$" && [ "$looks" -lt 50 ]; do
        looks=$((looks + 1))
        sleep 0.1
    done
    kill -9 "$$"
    rm -rf "$folder"
) >/dev/null 2>&1 &
exec "$@" 3<&-
