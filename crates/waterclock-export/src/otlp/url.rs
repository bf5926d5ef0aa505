//! What is said about a URL.

use url::Url;
use waterclock::observe::SECRET_PARAMETERS;
use waterclock::run::Secrets;

/// The host, without the brackets of IPv6.
pub(super) fn server(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// `url.full`. A timeline's URLs have no userinfo.
pub(super) fn full(url: &Url, secrets: Secrets) -> String {
    let signs = |pair: &str| {
        let name = pair.split_once('=').map(|(name, _)| name);
        name.filter(|name| SECRET_PARAMETERS.contains(name)).map(|name| format!("{name}=REDACTED"))
    };
    let mut url = url.clone();
    if let Some(query) = url.query().filter(|_| secrets == Secrets::Redacted) {
        let pairs = query.split('&').map(|pair| signs(pair).unwrap_or_else(|| pair.to_owned()));
        let query = pairs.collect::<Vec<_>>().join("&");
        url.set_query(Some(&query));
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_is_left_out() {
        let shown = |text: &str| full(&text.parse().unwrap(), Secrets::Redacted);
        for name in SECRET_PARAMETERS {
            let url = format!("https://h.test/a?lang=ko&{name}=hush&x=1");
            assert_eq!(shown(&url), url.replace("hush", "REDACTED"));
            assert_eq!(full(&url.parse().unwrap(), Secrets::Shown), url);
        }
    }
}
