//! A scene from its text.

use super::reader::{Fields, Node, Result};
use super::route::Route;
use super::{Ends, Host, ProxyPlan, Queue, Scene, SceneError, Serves, Speaks, Tested, steps};
use crate::proxy::ProxyAction;
use crate::tls::{TlsScript, TlsVersion};

const KEYS: [&str; 11] = [
    "name",
    "description",
    "listen",
    "tests",
    "ends",
    "backlog",
    "host",
    "tls",
    "proxy",
    "route",
    "steps",
];

/// More than a scene needs, and less than the parser's recursion could stand.
const DEEPEST: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Listens {
    Http,
    Https,
    Tcp,
}

pub(super) fn scene(text: &str) -> Result<Scene> {
    refuse_depth(text)?;
    let value = toml_span::parse(text).map_err(|error| {
        let message = format!("this is not TOML: {error}");
        SceneError::at(text, error.span.start, message.lines().next().unwrap_or_default())
    })?;
    let fields = Node { text, value: &value }.fields(&KEYS)?;
    let listens = fields.read("listen", |node| {
        node.word(&[("http", Listens::Http), ("https", Listens::Https), ("tcp", Listens::Tcp)])
    })?;
    let listens = listens.unwrap_or(Listens::Http);
    let ends = fields.read("ends", |node| {
        node.word(&[("well", Ends::Well), ("badly", Ends::Badly), ("never", Ends::Never)])
    })?;
    Ok(Scene {
        name: name(&fields.required("name")?)?,
        description: one_paragraph(fields.required("description")?.string()?),
        tests: fields.read("tests", tested)?,
        ends: ends.unwrap_or(Ends::Well),
        speaks: speaks(&fields, listens)?,
        host: fields.read("host", host)?,
        queue: queue(&fields)?,
        proxy: fields.read("proxy", proxy)?,
        serves: serves(&fields, listens)?,
    })
}

/// The parser calls itself for each bracket that is open.
fn refuse_depth(text: &str) -> Result<()> {
    let mut open = 0_usize;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > DEEPEST {
            let message = format!("more than {DEEPEST} brackets are open here");
            return Err(SceneError::at(text, place, message));
        }
    }
    Ok(())
}

fn name(node: &Node<'_>) -> Result<String> {
    let name = node.string()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(node.error("a scene's name has letters, digits and \"-\""));
    }
    Ok(name.to_owned())
}

fn tested(node: &Node<'_>) -> Result<Tested> {
    let fields = node.fields(&["one_wait", "many_waits"])?;
    match (fields.get("one_wait"), fields.get("many_waits")) {
        (Some(what), None) => Ok(Tested { what: one_paragraph(what.string()?), many_waits: false }),
        (None, Some(what)) => Ok(Tested { what: one_paragraph(what.string()?), many_waits: true }),
        _ => Err(node.error("tests is either { one_wait = \"...\" } or { many_waits = \"...\" }")),
    }
}

fn one_paragraph(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn speaks(fields: &Fields<'_>, listens: Listens) -> Result<Speaks> {
    let tls = fields.get("tls");
    match (listens, tls) {
        (Listens::Https, None) => Ok(Speaks::Https { script: TlsScript::new(), version: None }),
        (Listens::Https, Some(node)) => tls_script(&node),
        (_, Some(node)) => Err(node.error("[tls] needs listen = \"https\"")),
        (_, None) => Ok(Speaks::Http),
    }
}

fn tls_script(node: &Node<'_>) -> Result<Speaks> {
    let ends = ["stall_after", "close_after", "reset_after"];
    let known = ["first_flight", "second_flight", "drip", "every", "version"];
    let fields = node.fields(&[&known[..], &ends[..]].concat())?;
    let mut script = TlsScript::new();
    let delays = |node: &Node<'_>| -> Result<Vec<_>> {
        node.list()?.map(|delay| delay.duration()).collect()
    };
    if let Some(pieces) = fields.read("first_flight", delays)? {
        script = script.first_flight(pieces);
    }
    if let Some(pieces) = fields.read("second_flight", delays)? {
        script = script.second_flight(pieces);
    }
    if let Some((size, every)) = fields.drip()? {
        script = script.drip(size, every);
    }
    if ends.iter().filter(|end| fields.has(end)).count() > 1 {
        return Err(fields.error(format!("a handshake has one end: {}", ends.join(" or "))));
    }
    if let Some(bytes) = fields.read("stall_after", Node::count)? {
        script = script.stall_after(bytes);
    }
    if let Some(bytes) = fields.read("close_after", Node::count)? {
        script = script.close_after(bytes);
    }
    if let Some(bytes) = fields.read("reset_after", Node::count)? {
        script = script.reset_after(bytes);
    }
    let versions = [("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)];
    let version = fields.read("version", |node| node.word(&versions))?;
    Ok(Speaks::Https { script, version })
}

fn host(node: &Node<'_>) -> Result<Host> {
    let fields = node.fields(&["name", "lookup"])?;
    let name = fields.required("name")?;
    let host = name.string()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if host.is_empty() || host.len() > 200 || !host.chars().all(fits) {
        return Err(name.error("a host's name has letters, digits, \"-\" and \".\": \"shop.test\""));
    }
    let lookup = fields.read("lookup", Node::duration_or_never)?;
    Ok(Host { name: host.to_ascii_lowercase(), lookup: lookup.unwrap_or(Some(Default::default())) })
}

fn queue(fields: &Fields<'_>) -> Result<Queue> {
    let full = fields.read("backlog", Node::duration_or_never)?;
    Ok(match full {
        None => Queue::Open,
        Some(Some(time)) => Queue::FullFor(time),
        Some(None) => Queue::Full,
    })
}

fn proxy(node: &Node<'_>) -> Result<ProxyPlan> {
    let fields = node.fields(&["kind", "wait", "drip", "every", "steps"])?;
    let is_http = fields.required("kind")?.word(&[("http", true), ("socks", false)])?;
    let wait = fields.read("wait", Node::duration)?.unwrap_or_default();
    let drip = fields.drip()?;
    let answer = fields.read("steps", steps::list)?;
    match (is_http, answer, drip) {
        (_, Some(_), Some(_)) => Err(fields.error("a proxy has steps or drips its answer")),
        (_, Some(_), None) if fields.has("wait") => {
            Err(fields.error("put the wait into the proxy's steps"))
        }
        (true, Some(steps), None) => Ok(ProxyPlan::Http(ProxyAction::Answer(steps))),
        (false, Some(steps), None) => Ok(ProxyPlan::SocksAnswer(steps)),
        (false, None, Some(_)) => Err(fields.error("only a proxy of kind \"http\" can drip")),
        (false, None, None) => Ok(ProxyPlan::SocksAfter(wait)),
        (true, None, drip) => {
            let mut action = match drip {
                Some((size, every)) => ProxyAction::drip(size, every),
                None => ProxyAction::forward(),
            };
            if let ProxyAction::Forward { before, .. } = &mut action {
                before.push(crate::step::Step::Sleep(wait));
            }
            Ok(ProxyPlan::Http(action))
        }
    }
}

fn serves(fields: &Fields<'_>, listens: Listens) -> Result<Serves> {
    match (fields.get("route"), fields.get("steps"), listens) {
        (Some(node), None, Listens::Http | Listens::Https) => {
            node.list()?.map(|route| self::route(&route)).collect::<Result<_>>().map(Serves::Routes)
        }
        (None, Some(node), _) => steps::list(&node).map(Serves::Connection),
        (Some(_), Some(steps), _) => {
            Err(steps.error("steps are for each connection; there are routes already"))
        }
        (Some(route), None, Listens::Tcp) => {
            Err(route.error("listen = \"tcp\" knows no requests: write steps instead of routes"))
        }
        (None, None, _) => Err(fields
            .error("nothing is done: write [[route]] with steps, or steps for each connection")),
    }
}

fn route(node: &Node<'_>) -> Result<Route> {
    let fields = node.fields(&["path", "method", "times", "steps"])?;
    let path = fields.read("path", |node| match node.string()? {
        path if path.starts_with('/') || path == "*" => Ok(path.to_owned()),
        _ => Err(node.error("a path begins with \"/\"; \"*\" is every path")),
    })?;
    let times = fields.read("times", |node| match node.count()? {
        0 => Err(node.error("times is at least 1")),
        times => Ok(times),
    })?;
    Ok(Route {
        path: path.unwrap_or_else(|| "*".to_owned()),
        method: fields.read("method", Node::string)?.map(str::to_owned),
        times: times.unwrap_or(1),
        steps: steps::list(&fields.required("steps")?)?,
    })
}
