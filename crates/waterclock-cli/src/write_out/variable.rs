//! Which variables there are, and what each is of a run.

use super::Told;
use super::marks::{self, Mark};
use super::value::Value;
use std::time::Duration;
use waterclock::Method;
use waterclock::run::{ResponseRecord, Secrets};
use waterclock_proto::redirect::{self, RedirectPolicy};
use waterclock_proto::timeline::{Hop, HopReason, Span, Timeline};

/// A variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    ContentType,
    ErrorMessage,
    ExitCode,
    HttpVersion,
    LocalAddress,
    LocalPort,
    Method,
    Connects,
    Headers,
    Redirects,
    Retries,
    RedirectUrl,
    RemoteAddress,
    RemotePort,
    Scheme,
    Status,
    SizeDownload,
    SpeedDownload,
    VerifyResult,
    Time(Mark),
    TimeQueue,
    TimeRedirect,
    TimeTotal,
    Url,
    UrlEffective,
    Ours(Ours),
}

/// A variable that curl has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ours {
    LimitFired,
    Unaccounted,
    WaitMax,
    WaitMaxPhase,
    Waits,
}

impl Ours {
    pub(super) const ALL: [(&'static str, Ours); 5] = [
        ("limit_fired", Ours::LimitFired),
        ("unaccounted", Ours::Unaccounted),
        ("wait_max", Ours::WaitMax),
        ("wait_max_phase", Ours::WaitMaxPhase),
        ("waits", Ours::Waits),
    ];
}

impl Variable {
    /// Those that mean what they do in curl.
    pub(super) const CURLS: [(&'static str, Variable); 31] = [
        ("content_type", Variable::ContentType),
        ("errormsg", Variable::ErrorMessage),
        ("exitcode", Variable::ExitCode),
        ("http_code", Variable::Status),
        ("http_version", Variable::HttpVersion),
        ("local_ip", Variable::LocalAddress),
        ("local_port", Variable::LocalPort),
        ("method", Variable::Method),
        ("num_connects", Variable::Connects),
        ("num_headers", Variable::Headers),
        ("num_redirects", Variable::Redirects),
        ("num_retries", Variable::Retries),
        ("redirect_url", Variable::RedirectUrl),
        ("remote_ip", Variable::RemoteAddress),
        ("remote_port", Variable::RemotePort),
        ("response_code", Variable::Status),
        ("scheme", Variable::Scheme),
        ("size_download", Variable::SizeDownload),
        ("speed_download", Variable::SpeedDownload),
        ("ssl_verify_result", Variable::VerifyResult),
        ("time_appconnect", Variable::Time(Mark::AppConnect)),
        ("time_connect", Variable::Time(Mark::Connect)),
        ("time_namelookup", Variable::Time(Mark::NameLookup)),
        ("time_posttransfer", Variable::Time(Mark::PostTransfer)),
        ("time_pretransfer", Variable::Time(Mark::PreTransfer)),
        ("time_queue", Variable::TimeQueue),
        ("time_redirect", Variable::TimeRedirect),
        ("time_starttransfer", Variable::Time(Mark::StartTransfer)),
        ("time_total", Variable::TimeTotal),
        ("url", Variable::Url),
        ("url_effective", Variable::UrlEffective),
    ];

    pub(super) fn from_name(name: &str) -> Option<Variable> {
        let curls = Variable::CURLS.iter().find(|(known, _)| *known == name).map(|&(_, it)| it);
        let ours = || Ours::ALL.iter().find(|(known, _)| *known == name).map(|&(_, it)| it);
        curls.or_else(|| ours().map(Variable::Ours))
    }
}

impl Told<'_> {
    fn response(&self) -> Option<&ResponseRecord> {
        self.run.response.as_ref()
    }

    fn timeline(&self) -> Option<&Timeline> {
        self.run.timeline.as_ref()
    }

    fn hops(&self) -> &[Hop] {
        self.timeline().map(Timeline::hops).unwrap_or_default()
    }

    /// The header fields of the last response. What the user asks for by name is shown.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        self.response().map(|it| Secrets::Shown.fields(&it.headers)).unwrap_or_default()
    }

    /// The first field of that name.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let mut fields = self.headers().into_iter();
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn value(&self, variable: Variable) -> Value {
        match variable {
            Variable::ContentType => text(self.header("content-type")),
            Variable::ErrorMessage => text(self.run.error.as_ref().map(|it| it.message.clone())),
            Variable::ExitCode => Value::Number(self.exit_code.into()),
            Variable::HttpVersion => Value::text(self.http_version()),
            Variable::Method => Value::text(match self.hops().last() {
                Some(hop) => hop.request.method.to_string(),
                None => self.run.request.method.clone(),
            }),
            Variable::LocalAddress
            | Variable::LocalPort
            | Variable::RemoteAddress
            | Variable::RemotePort => self.address(variable),
            Variable::Connects
            | Variable::Headers
            | Variable::Redirects
            | Variable::Retries
            | Variable::SizeDownload
            | Variable::SpeedDownload
            | Variable::VerifyResult => Value::Number(self.number(variable)),
            Variable::RedirectUrl => text(self.redirect_url()),
            Variable::Scheme => {
                text(self.hops().last().map(|hop| hop.request.url.scheme().to_ascii_uppercase()))
            }
            Variable::Status => Value::Status(self.response().map_or(0, |it| it.status)),
            Variable::Time(_)
            | Variable::TimeQueue
            | Variable::TimeRedirect
            | Variable::TimeTotal => Value::Time(self.time(variable)),
            Variable::Url => Value::text(self.run.request.url.clone()),
            Variable::UrlEffective => Value::text(match (self.response(), self.hops().last()) {
                (Some(response), _) => response.url.clone(),
                (None, Some(hop)) => hop.request.url.to_string(),
                (None, None) => self.run.request.url.clone(),
            }),
            Variable::Ours(ours) => self.ours(ours),
        }
    }

    /// `1.1`, but `1` for HTTP/1.0, and `0` if there was no response.
    fn http_version(&self) -> String {
        let version = self.response().map(|it| it.http_version.trim_start_matches("HTTP/"));
        let version = version.map(|version| version.strip_suffix(".0").unwrap_or(version));
        version.unwrap_or("0").to_owned()
    }

    fn address(&self, variable: Variable) -> Value {
        let connection = self.response().and_then(|it| it.connection.as_ref());
        let local = matches!(variable, Variable::LocalAddress | Variable::LocalPort);
        let address = match (connection, local) {
            (Some(connection), true) => connection.local_address,
            (Some(connection), false) => connection.remote_address,
            (None, true) => None,
            (None, false) => {
                self.hops().last().and_then(|hop| hop.connection).and_then(|it| it.peer)
            }
        };
        match variable {
            Variable::LocalPort | Variable::RemotePort => {
                Value::Number(address.map_or(0, |address| address.port().into()))
            }
            _ => Value::text(address.map(|it| it.ip().to_string()).unwrap_or_default()),
        }
    }

    fn number(&self, variable: Variable) -> u64 {
        let hops = |wanted: fn(&Hop) -> bool| self.hops().iter().filter(|hop| wanted(hop)).count();
        let count = match variable {
            Variable::Connects => {
                hops(|hop| hop.connection.is_some_and(|connection| connection.idle.is_none()))
            }
            Variable::Redirects => hops(|hop| hop.reason == HopReason::Redirect),
            Variable::Retries => hops(|hop| hop.reason == HopReason::Retry),
            Variable::Headers => self.response().map_or(0, |it| it.headers.iter().count()),
            // rustls has no numbers for it, and does not look at all with --insecure.
            Variable::VerifyResult => {
                usize::from(self.run.error.as_ref().is_some_and(|it| it.kind == "certificate"))
            }
            Variable::SpeedDownload => {
                let micros = self.time(Variable::TimeTotal).as_micros().max(1);
                let bytes = u128::from(self.number(Variable::SizeDownload));
                return u64::try_from(bytes * 1_000_000 / micros).unwrap_or(u64::MAX);
            }
            _ => return self.response().map_or(0, |it| it.body_received),
        };
        count as u64
    }

    /// Where a redirect that was not followed leads.
    fn redirect_url(&self) -> Option<String> {
        let (response, hop) = (self.response()?, self.hops().last()?);
        let location = self.header("location")?;
        let policy = RedirectPolicy::limited(1);
        let url = &hop.request.url;
        let next = redirect::next(
            &Method::Get,
            url,
            response.status,
            Some(location.as_bytes()),
            &policy,
            0,
        );
        next.ok().flatten().map(|next| next.url.to_string())
    }

    fn time(&self, variable: Variable) -> Duration {
        let Some(timeline) = self.timeline() else { return Duration::ZERO };
        match variable {
            Variable::Time(mark) => marks::sum(timeline, mark),
            Variable::TimeQueue => marks::queue(timeline),
            Variable::TimeRedirect => marks::redirect(timeline),
            _ => timeline.elapsed(),
        }
    }

    fn ours(&self, ours: Ours) -> Value {
        let timeline = self.timeline();
        let longest = timeline.and_then(Timeline::longest_wait);
        match ours {
            Ours::LimitFired => {
                text(timeline.and_then(Timeline::fired).map(|it| it.limit.name().to_owned()))
            }
            Ours::Unaccounted => {
                Value::Time(timeline.map_or(Duration::ZERO, Timeline::unaccounted))
            }
            Ours::WaitMax => Value::Time(longest.map_or(Duration::ZERO, Span::duration)),
            Ours::WaitMaxPhase => text(longest.map(|it| it.phase.name().to_owned())),
            Ours::Waits => Value::Number(timeline.map_or(0, marks::waits)),
        }
    }
}

fn text(text: Option<String>) -> Value {
    text.map_or(Value::None, Value::Text)
}
