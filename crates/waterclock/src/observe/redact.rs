//! What of a URL may be shown: in log lines and in attributes that leave the process.

use std::fmt;
use url::{Position, Url};

/// Parameters whose values are credentials, by OpenTelemetry's list for `url.full`. Names are
/// compared as they are written, in their case.
pub const SECRET_PARAMETERS: &[&str] = &[
    "AWSAccessKeyId",
    "Signature",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "sig",
    "X-Goog-Signature",
];

/// Shows a URL without userinfo and fragment, and with `REDACTED` for the values of
/// [`SECRET_PARAMETERS`] and of those in `also`. With `whole` false it shows path and query only.
#[derive(Clone, Copy)]
pub(crate) struct RedactedTarget<'a> {
    pub(crate) url: &'a Url,
    pub(crate) whole: bool,
    pub(crate) also: &'a [Box<str>],
}

impl<'a> RedactedTarget<'a> {
    /// Path and query.
    pub(crate) fn path(url: &'a Url) -> Self {
        RedactedTarget { url, whole: false, also: &[] }
    }

    /// The absolute URL.
    pub(crate) fn whole(url: &'a Url) -> Self {
        RedactedTarget { url, whole: true, also: &[] }
    }

    fn is_secret(&self, name: &str) -> bool {
        SECRET_PARAMETERS.contains(&name) || self.also.iter().any(|also| **also == *name)
    }
}

impl fmt::Display for RedactedTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whole {
            f.write_str(&self.url[..Position::BeforeUsername])?;
            f.write_str(&self.url[Position::BeforeHost..Position::BeforePath])?;
        }
        let path = &self.url[Position::BeforePath..Position::AfterPath];
        f.write_str(if path.is_empty() { "/" } else { path })?;
        let Some(query) = self.url.query() else { return Ok(()) };
        for (index, pair) in query.split('&').enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((name, _)) if self.is_secret(name) => write!(f, "{name}=REDACTED")?,
                _ => f.write_str(pair)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(url: &str) -> String {
        RedactedTarget::whole(&Url::parse(url).unwrap()).to_string()
    }

    #[test]
    fn no_credential_is_shown() {
        let table = [
            ("https://user:pass@example.com/a", "https://example.com/a"),
            ("https://user@example.com:8443", "https://example.com:8443/"),
            ("http://example.com/?", "http://example.com/?"),
            (
                "http://example.com/a?color=blue&sig=x",
                "http://example.com/a?color=blue&sig=REDACTED",
            ),
            ("http://[::1]:81/?sig=a=b&sig", "http://[::1]:81/?sig=REDACTED&sig"),
            ("http://example.com/?SIG=kept&&x", "http://example.com/?SIG=kept&&x"),
            (
                "http://example.com/?X-Amz-Credential=k#access_token=t",
                "http://example.com/?X-Amz-Credential=REDACTED",
            ),
        ];
        for (url, shown) in table {
            assert_eq!(whole(url), shown);
        }
    }

    #[test]
    fn every_listed_parameter_is_a_secret_and_others_may_be_added() {
        for name in SECRET_PARAMETERS {
            let url = Url::parse(&format!("http://h/p?{name}=s3cret")).unwrap();
            assert_eq!(RedactedTarget::path(&url).to_string(), format!("/p?{name}=REDACTED"));
        }
        let url = Url::parse("http://h/p?token=s3cret&page=1").unwrap();
        let also = ["token".into()];
        let shown = RedactedTarget { url: &url, whole: false, also: &also };
        assert_eq!(shown.to_string(), "/p?token=REDACTED&page=1");
    }
}
