//! The client over real networks: packets that take their time, get lost, overtake each other, or stop
//! coming, and a capture of them that the timeline is held against.
//!
//! A test starts itself again in a network namespace of its own (`unshare -n -m`), where `delay_line.py`
//! joins it to a second one with two TUN devices: no kernel module for delays is needed. The lab's servers
//! are in the second one, on the other side of the line. The line writes what the client's side sees to a
//! packet capture, each packet stamped after the client has sent it, or before the client can see it. So
//! what follows from a packet never comes before its time stamp, however busy the machine is; how long
//! after it comes is asserted generously, in the best of three tries.
//!
//! That takes Linux, root, TUN, python3, unshare, ip and mount. Without one of them the tests say so, and pass.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests of real time read the clock and wait for processes"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod capture;
mod line;
mod place;
mod support;

mod faults;
mod seed;
mod throughput;
