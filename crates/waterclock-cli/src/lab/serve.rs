//! `waterclock lab SCENE`: serves until it is interrupted.

use super::log::Log;
use super::{scene, usage};
use crate::exit::Exit;
use crate::output::{print, tell};
use crate::report::wrap;
use crate::signal;
use clap::ArgMatches;
use signal_hook::iterator::Signals;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use waterclock::screen::{Style, escape};
use waterclock::world::real::RealWorld;
use waterclock_lab::scene::{Options, Scene, Stage};
use waterclock_lab::trial::Folder;

/// A client that comes again within this time has not left.
const QUIET: Duration = Duration::from_millis(300);

pub(super) fn main(matches: &ArgMatches, style: &Style) -> Exit {
    let word = matches.get_one::<String>("scene").map(String::as_str).unwrap_or_default();
    let scene = match scene(word) {
        Ok(scene) => scene,
        Err(message) => return usage(&message),
    };
    let port = matches.get_one::<u16>("port").copied().unwrap_or_default();
    match serve(&scene, port, matches.get_flag("once"), style) {
        Ok(exit) => exit,
        Err(error) => usage(&format!("cannot serve {}: {error}", scene.name)),
    }
}

fn serve(scene: &Scene, port: u16, once: bool, style: &Style) -> io::Result<Exit> {
    // Before anything that has to be cleared away.
    let mut signals = Signals::new(signal::heard())?;
    let world = RealWorld::shared();
    let log = Log::new(world.now());
    let options = Options::default().port(port).watch(move |event| {
        tell(&log.line(event, world.now()));
    });
    let stage = Arc::new(Stage::start(scene, &options)?);
    if once && !stage.takes_connections() {
        return Ok(usage("--once would never end: this scene takes no connections"));
    }
    let folder = stage.ca_pem().map(|_| Folder::new()).transpose()?;
    let ca = match (&folder, stage.ca_pem()) {
        (Some(folder), Some(pem)) => Some(folder.file("ca.pem", pem)?),
        _ => None,
    };
    let exit = print(&screen(scene, &stage, ca.as_deref(), style));
    if exit != Exit::Done {
        return Ok(exit);
    }
    if once {
        let (handle, stage) = (signals.handle(), Arc::clone(&stage));
        std::thread::Builder::new().name("once".into()).spawn(move || {
            stage.wait_until_left(QUIET);
            handle.close();
        })?;
    }
    // Ends with a signal, or when the handle was closed.
    signals.forever().next();
    Ok(Exit::Done)
}

/// What is served, where, and what to try.
fn screen(scene: &Scene, stage: &Stage, ca: Option<&Path>, style: &Style) -> String {
    let mut out = String::new();
    wrap(&mut out, &escape(&format!("{}: {}", scene.name, scene.description)), 0, 2, style);
    let url = stage.url();
    out += &format!("\n  URL    {url}\n");
    if let Some(ca) = ca {
        out += &format!("  CA     {}\n", ca.display());
    }
    if let Some(proxy) = stage.proxy_url() {
        out += &format!("  proxy  {proxy}\n");
    }
    if let (Some(named), Some(server)) = (stage.named_url(), stage.name_server()) {
        out += &format!("  name   {named}  (name server: {server}, UDP)\n");
    }
    out += "\nTry:\n";
    for command in commands(&url, ca, stage.proxy_url().as_deref()) {
        out += &format!("  {command}\n");
    }
    if let (Some(host), Some(server)) = (scene.host(), stage.name_server()) {
        out += &format!("  dig -p {} @{} {host}\n", server.port(), server.ip());
    }
    out += "\nCtrl-C ends it.\n";
    out
}

/// The exact commands.
fn commands(url: &str, ca: Option<&Path>, proxy: Option<&str>) -> [String; 3] {
    let ca = ca.map(|ca| ca.display().to_string());
    let option = |name: &str, value: Option<&str>| {
        value.map(|value| format!(" {name} {value}")).unwrap_or_default()
    };
    let (cacert, through) = (option("--cacert", ca.as_deref()), option("-x", proxy));
    let verify = ca.as_ref().map(|ca| format!(", verify=\"{ca}\"")).unwrap_or_default();
    let proxies = proxy.map(|proxy| {
        let scheme = url.split(':').next().unwrap_or_default();
        format!(", proxies={{\"{scheme}\": \"{proxy}\"}}")
    });
    let proxies = proxies.unwrap_or_default();
    [
        format!("curl -L -m 0.12{cacert}{through} {url}"),
        format!(
            "python3 -c 'import requests; print(requests.get(\"{url}\", timeout=0.12{verify}{proxies}))'"
        ),
        format!("waterclock -L -t 0.12{cacert}{through} {url}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_what_the_scene_needs() {
        let ca = Path::new("/tmp/x/ca.pem");
        let [curl, python, ours] = commands("https://127.0.0.1:1/", Some(ca), Some("http://p:2"));
        assert_eq!(
            curl,
            "curl -L -m 0.12 --cacert /tmp/x/ca.pem -x http://p:2 https://127.0.0.1:1/"
        );
        assert_eq!(
            python,
            "python3 -c 'import requests; print(requests.get(\"https://127.0.0.1:1/\", timeout=0.12, \
             verify=\"/tmp/x/ca.pem\", proxies={\"https\": \"http://p:2\"}))'"
        );
        assert_eq!(
            ours,
            "waterclock -L -t 0.12 --cacert /tmp/x/ca.pem -x http://p:2 https://127.0.0.1:1/"
        );
        let [curl, _, _] = commands("http://127.0.0.1:1/", None, None);
        assert_eq!(curl, "curl -L -m 0.12 http://127.0.0.1:1/");
    }
}
