//! Forwarding of a proxy: blind copying for tunnels, message by message for absolute-form.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use crate::head::{Framing, Head};
use crate::input::{Body, Input, Source};
use crate::link::Link;
use crate::listener::{Connection, spawn, tcp};
use crate::log::ReceivedRequest;
use crate::session::{Flow, Session};
use crate::step::{Step, chunk, respond};
use crate::stop::Stop;

/// `host:port` in lower case, and where it is.
pub(crate) type Routes = HashMap<String, SocketAddr>;

const CONNECT: Duration = Duration::from_secs(10);

pub(crate) fn bad_gateway(error: &io::Error) -> Vec<Step> {
    respond(502, format!("the proxy could not reach the target: {error}\n"))
}

/// Connects to an authority (`host`, `host:port`, `[v6]:port`).
pub(crate) fn connect(
    authority: &str,
    default_port: u16,
    routes: &Routes,
    stop: &Stop,
) -> io::Result<Arc<Link>> {
    let has_port = authority.rfind(':') > authority.rfind(']');
    let place = if has_port { authority.to_owned() } else { format!("{authority}:{default_port}") };
    let addresses = match routes.get(&place.to_ascii_lowercase()) {
        Some(address) => vec![*address],
        None => place.to_socket_addrs()?.collect(),
    };
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                let stream = Arc::new(tcp(stream));
                stop.watch(&stream);
                return Ok(Arc::new(Link::clear(stream)));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Copies both ways until both sides have ended. `early` is what the client sent too soon.
pub(crate) fn tunnel(connection: &Connection, early: &[u8], target: &Arc<Link>) -> io::Result<()> {
    target.write_all(early)?;
    let (from, to) = (Arc::clone(&connection.link), Arc::clone(target));
    let upward = spawn("lab-tunnel", move || copy(&from, &to))?;
    copy(target, &connection.link);
    // It ends: `copy` has closed or stopped its sides, or the server's stop will.
    let _ = upward.join();
    Ok(())
}

/// Passes bytes on, an end as an end, and a reset as a reset.
fn copy(from: &Link, to: &Link) {
    let mut buffer = vec![0; 64 * 1024];
    let result = loop {
        match from.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(count) => {
                if let Err(error) = to.write_all(buffer.get(..count).unwrap_or_default()) {
                    break Err(error);
                }
            }
            Err(error) => break Err(error),
        }
    };
    if result.is_ok() {
        to.notify();
        to.stream().send_fin();
        return;
    }
    for side in [from, to] {
        side.stream().reset_on_close();
        side.stream().stop_reading();
    }
}

/// Sends a request in absolute-form to its target and passes the response on. The request's body
/// is read whole first; the response flows as it comes.
pub(crate) fn forward(
    session: &mut Session<'_>,
    request: &ReceivedRequest,
    routes: &Routes,
) -> io::Result<Flow> {
    let Some((authority, path)) = split_absolute(&request.target) else {
        return session.run(&respond(400, "this is a proxy: absolute-form or CONNECT, please\n"));
    };
    session.read_body(true, None)?;
    let Connection { stop, log, .. } = session.connection;
    let target = match connect(authority, 80, routes, stop) {
        Ok(target) => target,
        Err(error) => return session.run(&bad_gateway(&error)),
    };
    let place = session.pending.as_ref().map(|pending| pending.place);
    let body = log.read(|seen| Some(seen.requests.get(place?)?.body.clone()));
    target.write_all(&outgoing(request, &path, &body.unwrap_or_default()))?;
    pass_response(session.connection, &target, &request.method)
}

/// `http://user@host:port/path?query` without its scheme: authority and origin-form.
fn split_absolute(target: &str) -> Option<(&str, String)> {
    let rest = target.strip_prefix("http://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit('@').next()?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Some((authority, path))
}

/// The request as the target gets it: one to a connection, with its body's framing as it was.
fn outgoing(request: &ReceivedRequest, path: &str, body: &[u8]) -> Vec<u8> {
    let mut head = format!("{} {path} {}\r\n", request.method, request.version);
    for (name, value) in &request.headers {
        if !is_hop_by_hop(name) && !name.eq_ignore_ascii_case("expect") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    let mut bytes = head.into_bytes();
    if request.header("transfer-encoding").is_some() {
        bytes.extend_from_slice(&chunk(body));
        bytes.extend_from_slice(b"0\r\n\r\n");
    } else {
        bytes.extend_from_slice(body);
    }
    bytes
}

fn is_hop_by_hop(name: &str) -> bool {
    ["connection", "keep-alive", "proxy-connection", "proxy-authorization"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Passes interim responses and the final one on. A target that breaks off in the middle makes
/// the proxy break off too.
fn pass_response(connection: &Connection, target: &Link, method: &str) -> io::Result<Flow> {
    let mut input = Input::new();
    let head = loop {
        let Some(head) = input.head(target)? else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let is_final = !matches!(head.status(), Some(100..=199));
        connection.link.write_all(&incoming(&head))?;
        if is_final {
            break head;
        }
    };
    let framing = head.response_framing(method);
    let mut body = Body::new(framing);
    let source = Source { link: target, stop: &connection.stop, pace: None };
    while let Some(piece) = body.next(&mut input, &source)? {
        if framing == Framing::Chunked {
            connection.link.write_all(&chunk(piece))?;
        } else {
            connection.link.write_all(piece)?;
        }
    }
    match framing {
        Framing::Chunked => connection.link.write_all(b"0\r\n\r\n")?,
        Framing::Length(_) => {}
        Framing::UntilClose => {
            connection.link.notify();
            return Ok(Flow::End);
        }
    }
    Ok(Flow::Next)
}

fn incoming(head: &Head) -> Vec<u8> {
    let mut text = format!("{}\r\n", head.start_line);
    for (name, value) in head.fields.iter().filter(|(name, _)| !is_hop_by_hop(name)) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}
