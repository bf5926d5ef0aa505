//! Scenes: scripted misbehaviour as short TOML files, for the tests of any client.
//!
//! ```
//! use waterclock_lab::scene::{Options, Scene, Stage};
//!
//! let scene = Scene::parse(r#"
//!     name = "slow"
//!     description = "The answer takes 20 ms."
//!     listen = "http"
//!
//!     [[route]]
//!     path = "/"
//!     steps = [{ wait = "20ms" }, { respond = 200, body = "hello" }]
//! "#)?;
//! let stage = Stage::start(&scene, &Options::default())?;
//! assert!(stage.url().starts_with("http://127.0.0.1:"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("format.md")]

mod edit;
mod error;
mod parse;
mod reader;
mod ready;
mod route;
mod stage;
mod steps;
mod timing;

use std::time::Duration;

pub use edit::nearest;
pub use error::SceneError;
pub use ready::{ready, sources};
pub use stage::{Options, Stage};

use crate::proxy::ProxyAction;
use crate::step::Step;
use crate::tls::{TlsScript, TlsVersion};
use route::Route;

/// What can stand in a scene file, in Markdown.
pub const FORMAT: &str = include_str!("format.md");

/// Servers and what they do, read from a file.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What it is called.
    pub name: String,
    /// What happens, and what a correct client does. One paragraph.
    pub description: String,
    /// What a client's limit has to bound here; `None` if the scene is not about time.
    pub tests: Option<Tested>,
    /// How a call ends that has no limit.
    pub ends: Ends,
    speaks: Speaks,
    host: Option<Host>,
    queue: Queue,
    proxy: Option<ProxyPlan>,
    serves: Serves,
}

/// What a scene shows about a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// What has to be bounded, to be put after "it bounds".
    pub what: String,
    /// Whether it is made of many waits, each of which stays below 0.12 s: a limit on each wait
    /// does not see them.
    pub many_waits: bool,
}

/// How a call ends that has no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// With the whole response.
    Well,
    /// With a failure that the client has to notice.
    Badly,
    /// Not at all.
    Never,
}

/// What is spoken on the server's connections.
#[derive(Clone, Debug)]
enum Speaks {
    Http,
    Https { script: TlsScript, version: Option<TlsVersion> },
}

/// A name for the server. `lookup` is the time the name server takes; `None` is no answer.
#[derive(Clone, Debug)]
struct Host {
    name: String,
    lookup: Option<Duration>,
}

/// Whether the server's queue takes connections.
#[derive(Clone, Copy, Debug)]
enum Queue {
    Open,
    FullFor(Duration),
    Full,
}

#[derive(Clone, Debug)]
enum ProxyPlan {
    Http(ProxyAction),
    SocksAfter(Duration),
    SocksAnswer(Vec<Step>),
}

#[derive(Clone, Debug)]
enum Serves {
    Routes(Vec<Route>),
    Connection(Vec<Step>),
}

impl Scene {
    /// Reads a scene. What is wrong with it is said with its line.
    pub fn parse(text: &str) -> Result<Scene, SceneError> {
        parse::scene(text)
    }

    /// A ready one.
    pub fn ready(name: &str) -> Option<Scene> {
        ready().into_iter().find(|scene| scene.name == name)
    }

    /// Whether a client has to trust a certificate of ours.
    pub fn is_https(&self) -> bool {
        matches!(self.speaks, Speaks::Https { .. })
    }

    /// Whether a client has to go through a proxy to see it.
    pub fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// The server's name, if a client has to look one up to see the whole scene.
    pub fn host(&self) -> Option<&str> {
        self.host.as_ref().map(|host| host.name.as_str())
    }

    /// Whether nothing is left of the scene for a client that does not look its name up: a slow
    /// lookup is all there is.
    pub fn is_only_a_lookup(&self) -> bool {
        let looks_up = self.host.as_ref().is_some_and(|host| host.lookup != Some(Duration::ZERO));
        looks_up && self.tests.as_ref().is_some_and(|tested| !tested.many_waits)
    }
}
