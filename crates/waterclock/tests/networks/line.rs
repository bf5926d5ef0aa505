//! The delay line, and the servers at its other end.

use crate::capture::Capture;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use waterclock_lab::{Builder, DnsServer, Server, Zone};

pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 7, 0, 2));

static ASKS_THE_OTHER_SIDE: Once = Once::new();

/// A running line. It ends with this value, or with the process: while its standard input is open it lives.
pub(crate) struct Line {
    process: Child,
    folder: PathBuf,
    /// The servers' namespace.
    there: File,
}

impl Line {
    /// Starts `delay_line.py` with these options.
    pub(crate) fn start(options: &str) -> Line {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks/delay_line.py");
        let folder = new_folder();
        let mut process = Command::new("python3")
            .arg(script)
            .arg("--capture")
            .arg(folder.join("client.pcap"))
            .args(options.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "the delay line does not start");
        let there = File::open(format!("/proc/{}/ns/net", process.id())).unwrap();
        Line { process, folder, there }
    }

    /// Does something on the other side.
    fn over_there<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let work = || {
            let namespace = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(self.there.as_fd(), namespace).unwrap();
            work()
        };
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    /// A server on the other side. It ends with the process: from here it could not be woken.
    pub(crate) fn serve(&self, port: u16, server: Builder) -> &'static Server {
        let server =
            self.over_there(|| server.bind(SocketAddr::new(SERVER, port)).start().unwrap());
        Box::leak(Box::new(server))
    }

    /// A name server on the other side, which is the one of this process from now on.
    pub(crate) fn names(&self, zone: Zone) -> &'static DnsServer {
        ASKS_THE_OTHER_SIDE.call_once(|| self.ask_the_other_side());
        let address = SocketAddr::new(SERVER, 53);
        Box::leak(Box::new(self.over_there(|| DnsServer::start_at(address, zone).unwrap())))
    }

    /// Files of this process alone lie over those that say whom to ask. Once: another mount would not find
    /// its place under the first one.
    fn ask_the_other_side(&self) {
        let files = [
            ("/etc/resolv.conf", format!("nameserver {SERVER}\n")),
            ("/etc/nsswitch.conf", "hosts: files dns\n".to_owned()),
        ];
        for (path, content) in files {
            let private = self.folder.join(path.trim_start_matches("/etc/"));
            std::fs::write(&private, content).unwrap();
            let status = Command::new("mount").arg("--bind").arg(private).arg(path).status();
            assert!(status.unwrap().success() || !Path::new(path).exists(), "mount over {path}");
        }
    }

    /// A path for a file that goes with the line.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Cuts the line, and gives what the client's side has seen.
    pub(crate) fn cut(mut self) -> Capture {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success(), "the delay line failed");
        Capture::read(&self.file("client.pcap"))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn new_folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("waterclock-network-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}
