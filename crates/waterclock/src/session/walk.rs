//! One call through all its hops: credentials and cookies before each, cookies, hooks, challenges and
//! redirects after it.

use super::{Inner, Session, follow};
use crate::auth::Auth;
use crate::call::Call;
use crate::cookies;
use crate::error::{Error, ErrorKind, Failure, Outcome};
use crate::log_lines;
use crate::request::{PreparedRequest, RequestBody};
use crate::response::{PastResponse, Response};
use std::sync::Arc;
use waterclock_proto::redirect::{self, Credentials, RedirectError, RedirectPolicy, Redirected};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{HopReason, Phase, What};

/// What comes after a response.
enum Next {
    /// Nothing: it is the caller's.
    Done,
    /// The same request with an answer to the challenge.
    Answer,
    Redirect(Box<Redirected>),
    /// A redirect that is not followed.
    Fail(Box<Failure>),
}

/// A call on its way.
pub(super) struct Walk<'s> {
    session: &'s Inner,
    auth: Option<Auth>,
    /// How many challenges the present request has answered.
    answered: u32,
    followed: u32,
    history: Vec<PastResponse>,
    /// The body that a redirect has dropped: the caller's request gets it back.
    dropped: RequestBody,
}

impl Session {
    /// Sends a prepared request, follows redirects and answers challenges as the request and the
    /// session say. A body from a reader that cannot go back is used up by it.
    ///
    /// # Errors
    /// As [`Request::send`](crate::Request::send).
    pub fn send(&self, request: &mut PreparedRequest) -> Result<Response, Error> {
        let session = &*self.0;
        let cancel = request.options.cancel.clone();
        let interrupted = session.interrupted.clone();
        let world = Arc::clone(&session.world);
        let mut call = Call::new(world, request.limits, cancel, interrupted);
        call.observe(&session.observers, &request.line);
        if let Some(problem) = &session.problem {
            return Err(call.refuse(Failure::new(ErrorKind::InvalidUrl, problem.to_string())));
        }
        session.walk(request, call)
    }

    /// Sends `request` as the next hop of a call whose earlier ones were [`held`](crate::Request::held):
    /// one timeline and one deadline `total` go over all of them. Time since the last hop ended counts
    /// as the caller's. The limits are those that the call began with.
    ///
    /// ```no_run
    /// use waterclock::timeline::HopReason;
    /// use waterclock::{RedirectPolicy, Session};
    ///
    /// let session = Session::builder().redirects(RedirectPolicy::none()).build()?;
    /// let mut response = session.get("https://example.com/").held(true).send()?;
    /// while let Some(mut next) = response.take_next() {
    ///     response = session.send_next(response.into_call(), HopReason::Redirect, &mut next)?;
    /// }
    /// println!("{}", response.explain());
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Request::send`](crate::Request::send).
    pub fn send_next(
        &self,
        mut call: Call,
        reason: HopReason,
        request: &mut PreparedRequest,
    ) -> Result<Response, Error> {
        let since = call.timeline().ended();
        call.again(reason);
        match call.caller_time(What::Hook, since, Phase::Send) {
            Ok(()) => self.0.walk(request, call),
            Err(failure) => Err(call.fail(failure)),
        }
    }
}

impl Inner {
    fn walk(&self, request: &mut PreparedRequest, mut call: Call) -> Result<Response, Error> {
        call.lend(request.options.held);
        let auth = self.auth_for(request);
        let (history, dropped) = (Vec::new(), RequestBody::Empty);
        let mut walk = Walk { session: self, auth, answered: 0, followed: 0, history, dropped };
        let result = walk.run(request, call);
        if walk.history.is_empty() {
            return result;
        }
        result.map_err(|error| error.with_history(std::mem::take(&mut walk.history)))
    }
}

impl Inner {
    /// The credentials of a request, as a call begins with it.
    fn auth_for(&self, request: &PreparedRequest) -> Option<Auth> {
        let session = self.auth.as_ref().filter(|_| !request.options.left_origin);
        let given = request.options.auth.as_ref().or(session);
        given
            .cloned()
            .or_else(|| self.netrc_auth(request))
            .or_else(|| request.credentials.as_deref().map(Auth::value))
    }

    /// What netrc has, unless the request says itself who it is.
    fn netrc_auth(&self, request: &PreparedRequest) -> Option<Auth> {
        let found = self.environment.netrc(request.url())?;
        let named = request.header("Authorization").is_some() || request.place.unix.is_some();
        (!named).then_some(found)
    }
}

impl Walk<'_> {
    #[inline]
    fn run(&mut self, request: &mut PreparedRequest, mut call: Call) -> Result<Response, Error> {
        // Once a redirect was followed the request is another one, with the first one's body.
        let mut redirected: Option<Box<PreparedRequest>> = None;
        let result = loop {
            let current = redirected.as_deref_mut().unwrap_or(request);
            let (response, next) = match self.hop(current, call) {
                Ok(answer) => answer,
                Err(error) => break Err(error),
            };
            if let Next::Done = next {
                let history = std::mem::take(&mut self.history);
                break Ok(response.hand_over(history, current.options.held));
            }
            let past;
            (call, past) = response.into_past();
            self.history.push(past);
            match self.prepare(current, next, &mut call) {
                Ok(Some(next)) => redirected = Some(next),
                Ok(None) => {}
                Err(failure) => break Err(call.fail(failure)),
            }
        };
        if let Some(redirected) = redirected {
            // The caller may send the request again.
            let dropped = std::mem::take(&mut self.dropped);
            let used = matches!(redirected.body, RequestBody::Empty);
            request.body = if used { dropped } else { redirected.body };
        }
        result
    }

    /// One request and its response, and what that asks for.
    #[inline]
    fn hop(
        &mut self,
        request: &mut PreparedRequest,
        mut call: Call,
    ) -> Result<(Response, Next), Error> {
        let Some(adapter) = self.session.adapter(request.line.url.as_str()) else {
            let scheme = request.line.url.scheme();
            let text = format!("no adapter is mounted for {scheme}:// URLs like this one");
            return Err(call.refuse(Failure::new(ErrorKind::UnsupportedScheme, text)));
        };
        call.begin_hop(&request.line);
        if let Err(error) = self.dress(request, &mut call) {
            return Err(error.of_call(&mut call));
        }
        call.hold();
        let mut response = adapter.send(request, call)?;
        let session = self.session;
        if session.keeps_cookies {
            session.cookies.store(response.url(), response.headers(), || session.world.wall());
        }
        match self.look(request, &mut response) {
            Ok(next) => Ok((response, next)),
            Err(error) => Err(error.of_call(response.call_mut())),
        }
    }

    /// Credentials, cookies and hooks, before a hop.
    fn dress(&mut self, request: &mut PreparedRequest, call: &mut Call) -> Result<(), Error> {
        let session = self.session;
        if !request.added.is_empty() {
            request.added.clear();
        }
        if request.header("Cookie").is_none() {
            let own = &request.options.cookies;
            let jar = session.keeps_cookies.then_some(&session.cookies);
            if let Some(value) = cookies::header(jar, request.url(), own, &*session.world) {
                request.set_for_hop("Cookie", value)?;
            }
        }
        if session.hooks.want_requests() || request.options.hooks.want_requests() {
            let (since, own) = (call.now(), request.options.hooks.clone());
            session.hooks.request(request)?;
            own.request(request)?;
            spent(call, since, Phase::Send)?;
        }
        if let Some(auth) = &self.auth {
            let since = auth.is_custom().then(|| call.now());
            auth.authorize(request, self.answered, &*session.world)?;
            if let Some(since) = since {
                spent(call, since, Phase::Send)?;
            }
        }
        Ok(())
    }

    /// Hooks and challenges see the response; then it is decided what comes next.
    fn look(
        &mut self,
        request: &mut PreparedRequest,
        response: &mut Response,
    ) -> Result<Next, Error> {
        let (session, own) = (self.session, &request.options.hooks);
        if session.hooks.want_responses() || own.want_responses() {
            let since = response.call_mut().now();
            session.hooks.response(response)?;
            own.response(response)?;
            spent(response.call_mut(), since, Phase::Body)?;
        }
        if self.challenged(response)? {
            if request.body.is_replayable() {
                return Ok(Next::Answer);
            }
            let note = "The challenge was not answered: the request's body was streamed, and cannot \
                        be sent a second time.";
            response.call_mut().timeline_mut().note(note);
        }
        if !(300..400).contains(&response.status()) {
            return Ok(Next::Done);
        }
        let mut policy = request.options.redirects.unwrap_or(session.redirects);
        match self.redirected(response, &policy) {
            Ok(Some(to)) if self.wanted(request, response, &to)? => {
                return Ok(count(request, response, to));
            }
            Ok(Some(_)) => policy = policy.with_follow(false),
            Ok(None) => {}
            Err(error) => return Ok(Next::Fail(error.into())),
        }
        if !policy.follow && redirect::is_redirect(response.status(), response.headers()) {
            let policy = policy.with_follow(true).with_max(u32::MAX);
            self.offer_next(request, response, &policy);
        }
        Ok(Next::Done)
    }

    /// Whether the caller's hooks want a redirect to be followed.
    fn wanted(
        &self,
        request: &PreparedRequest,
        response: &mut Response,
        to: &Redirected,
    ) -> Result<bool, Error> {
        let (hooks, own) = (&self.session.hooks, &request.options.hooks);
        if !hooks.want_redirects() && !own.want_redirects() {
            return Ok(true);
        }
        let since = response.call_mut().now();
        let wanted = hooks.follow(response, to)? && own.follow(response, to)?;
        spent(response.call_mut(), since, Phase::Body)?;
        Ok(wanted)
    }

    fn redirected(
        &self,
        response: &Response,
        policy: &RedirectPolicy,
    ) -> Result<Option<Redirected>, RedirectError> {
        let (line, status) = (response.line(), response.status());
        let location = redirect::location(response.headers());
        redirect::next(&line.method, &line.url, status, location, policy, self.followed)
    }

    /// The request that would have followed, for a caller who follows redirects by hand.
    fn offer_next(
        &self,
        request: &mut PreparedRequest,
        response: &mut Response,
        policy: &RedirectPolicy,
    ) {
        if let Ok(Some(to)) = self.redirected(response, policy)
            && let Ok((next, dropped)) = follow::follow(request, &to)
        {
            // The caller may send the request again.
            if !matches!(dropped, RequestBody::Empty) {
                request.body = dropped;
            }
            response.set_next(next);
        }
    }

    fn challenged(&mut self, response: &mut Response) -> Result<bool, Error> {
        let Some(auth) = &self.auth else { return Ok(false) };
        let since = auth.is_custom().then(|| response.call_mut().now());
        let again = auth.challenged(response, self.answered)?;
        if let Some(since) = since {
            spent(response.call_mut(), since, Phase::Body)?;
        }
        Ok(again)
    }

    /// Makes the next hop ready: the request as it was, or the one that a redirect asks for.
    fn prepare(
        &mut self,
        request: &mut PreparedRequest,
        next: Next,
        call: &mut Call,
    ) -> Outcome<Option<Box<PreparedRequest>>> {
        let to = match next {
            Next::Done => return Ok(None),
            Next::Fail(failure) => return Err(failure),
            Next::Answer => {
                self.answered += 1;
                follow::rewind(&mut request.body, ErrorKind::InvalidRequest)?;
                call.again(HopReason::Auth);
                return Ok(None);
            }
            Next::Redirect(to) => to,
        };
        let (next, dropped) = follow::follow(request, &to)?;
        if !matches!(dropped, RequestBody::Empty) {
            self.dropped = dropped;
        }
        self.followed += 1;
        self.answered = 0;
        if to.credentials == Credentials::Strip {
            self.auth = self.auth.take().filter(Auth::is_none);
        }
        if self.auth.is_none() {
            self.auth = self.session.netrc_auth(&next);
        }
        log_lines::redirecting(request.url(), &to.url);
        call.again(HopReason::Redirect);
        Ok(Some(next))
    }
}

/// Counts a redirect as the retry policy says, which may allow fewer than the redirect policy: the
/// stricter one counts, wherever it was set (CVE-2025-50181).
fn count(request: &PreparedRequest, response: &mut Response, to: Redirected) -> Next {
    let (retry, line, status) = (&request.retry, Arc::clone(response.line()), response.status());
    if retry.redirect.is_none() && response.retries().is_empty() {
        return Next::Redirect(Box::new(to));
    }
    let state = response.call_mut().retry_state(retry);
    match state.redirected(&line.method, &line.url, status, &to.url) {
        Ok(()) => Next::Redirect(Box::new(to)),
        Err(why) if retry.raises(&why) => {
            Next::Fail(Failure::new(ErrorKind::TooManyRedirects, why.to_string()))
        }
        Err(_) => Next::Done,
    }
}

/// The caller's own code has run since `since`; limits go on meanwhile.
fn spent(call: &mut Call, since: Tick, phase: Phase) -> Result<(), Error> {
    call.caller_time(What::Hook, since, phase).map_err(|failure| call.error(failure))
}
