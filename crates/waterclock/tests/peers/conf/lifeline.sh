# Turns into the daemon ("$@"), beside a watcher that outlives it. When the test has gone, in
# whatever way, standard input closes: the watcher ends the daemon and removes its folder.
exec 3<&0 </dev/null
folder=$1
shift
(
    trap '' INT HUP TERM
    read -r _ <&3
    kill "$$"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -0 "$$" || break
        sleep 0.1
    done
    kill -9 "$$"
    rm -rf "$folder"
) >/dev/null 2>&1 &
exec "$@" 3<&-
