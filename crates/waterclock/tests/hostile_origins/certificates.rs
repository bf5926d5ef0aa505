//! Who is believed to be the origin (RFC 5280, RFC 9525). Nobody else gets the request.

use crate::support::{Authority, Shown, TlsPeer, authority, builder, leaf, named, trust};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, NameConstraints, SanType, date_time_ymd,
};
use waterclock::ErrorKind;

const NAME: &str = "shop.test";
const IP: &str = "127.0.0.1";

/// A case, the host of the URL, and what the server shows.
type Row = (&'static str, &'static str, fn(&Authority) -> Shown);

fn with(
    mut params: CertificateParams,
    edit: impl FnOnce(&mut CertificateParams),
) -> CertificateParams {
    edit(&mut params);
    params
}

fn good() -> CertificateParams {
    leaf(NAME, &[NAME])
}

/// For this name as it stands, whatever it is.
fn dns_name(name: &str) -> CertificateParams {
    let name = SanType::DnsName(name.try_into().unwrap());
    with(leaf(NAME, &[]), |params| params.subject_alt_names = vec![name])
}

/// Below an intermediate that is made in this way.
fn below(root: &Authority, edit: impl FnOnce(&mut CertificateParams)) -> Shown {
    root.below(with(authority("Middle"), edit)).issue(&good())
}

const REFUSED: &[Row] = &[
    ("expired", NAME, |root| {
        root.issue(&with(good(), |params| params.not_after = date_time_ymd(2001, 1, 1)))
    }),
    ("not yet valid", NAME, |root| {
        root.issue(&with(good(), |params| params.not_before = date_time_ymd(3000, 1, 1)))
    }),
    ("wrong name", NAME, |root| root.issue(&leaf("other.test", &["other.test"]))),
    ("wrong address", IP, |root| root.issue(&leaf(IP, &["127.0.0.2"]))),
    ("a name for an address", IP, |root| root.issue(&good())),
    ("self-signed", NAME, |_| Shown::self_signed(&good())),
    ("unknown root", NAME, |_| Authority::root(authority("Stranger")).issue(&good())),
    ("forged root of the same name", NAME, |_| Authority::root(authority("Root")).issue(&good())),
    ("missing intermediate", NAME, |root| {
        let mut shown = below(root, |_| {});
        shown.chain.truncate(1);
        shown
    }),
    ("a leaf that signs", NAME, |root| root.below(leaf("leaf", &["leaf.test"])).issue(&good())),
    ("expired intermediate", NAME, |root| {
        below(root, |params| params.not_after = date_time_ymd(2001, 1, 1))
    }),
    ("name constraint", NAME, |root| {
        below(root, |params| {
            let permitted_subtrees = vec![GeneralSubtree::DnsName("other.test".into())];
            params.name_constraints =
                Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
        })
    }),
    ("path length", NAME, |root| {
        let short = with(authority("Short"), |params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        });
        root.below(short).below(authority("Middle")).issue(&good())
    }),
    ("for clients", NAME, |root| {
        root.issue(&with(good(), |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }))
    }),
    ("unknown critical extension", NAME, |root| {
        let mut extension =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
        extension.set_criticality(true);
        root.issue(&with(good(), |params| params.custom_extensions = vec![extension]))
    }),
    ("common name only", NAME, |root| root.issue(&leaf(NAME, &[]))),
    ("common name only, an address", IP, |root| root.issue(&leaf(IP, &[]))),
    ("an address as a name", IP, |root| root.issue(&dns_name(IP))),
    ("NUL in a name", NAME, |root| root.issue(&dns_name("shop.test\0.evil.test"))),
    ("wildcard for two labels", "a.b.wild.test", |root| root.issue(&dns_name("*.wild.test"))),
    ("wildcard for the apex", "wild.test", |root| root.issue(&dns_name("*.wild.test"))),
    ("a wildcard alone", NAME, |root| root.issue(&dns_name("*"))),
    ("a wildcard in a label", NAME, |root| root.issue(&dns_name("sh*.test"))),
    ("a wildcard for an address", IP, |root| root.issue(&dns_name("*.0.0.1"))),
];

const ACCEPTED: &[Row] = &[
    ("a name", NAME, |root| root.issue(&good())),
    ("another case", "SHOP.test", |root| root.issue(&good())),
    ("names in another case", NAME, |root| root.issue(&leaf(NAME, &["SHOP.TEST"]))),
    ("an address", IP, |root| root.issue(&leaf("", &[IP]))),
    ("a wildcard", "a.wild.test", |root| root.issue(&dns_name("*.wild.test"))),
    ("an intermediate", NAME, |root| below(root, |_| {})),
    ("no subject", NAME, |root| {
        root.issue(&with(good(), |params| params.distinguished_name = DistinguishedName::new()))
    }),
    ("a thousand names", NAME, |root| {
        let names: Vec<String> = (0..999).map(|number| format!("n{number}.test")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).chain([NAME]).collect();
        root.issue(&leaf(NAME, &names))
    }),
    ("constraints that are kept", NAME, |root| {
        below(root, |params| {
            let permitted_subtrees = vec![GeneralSubtree::DnsName("test".into())];
            params.name_constraints =
                Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
        })
    }),
];

/// What a call to a server that shows this comes to, and how many requests it got.
fn outcome(root: &Authority, (_, host, show): &Row) -> (Result<u16, waterclock::Error>, usize) {
    let peer = TlsPeer::showing(&show(root));
    let session = named(builder().tls(trust(&root.pem)), &host.to_lowercase(), peer.address);
    let url = format!("https://{host}:{}/", peer.address.port());
    let result = session.build().unwrap().get(url).header("Cookie", "secret=1").send();
    (result.map(|response| response.status()), peer.requests())
}

#[test]
fn tls_certificates_that_are_refused() {
    let root = Authority::root(authority("Root"));
    for row in REFUSED {
        let (result, requests) = outcome(&root, row);
        let error = result.expect_err(row.0);
        assert_eq!((error.kind(), requests), (ErrorKind::Certificate, 0), "{}: {error:#}", row.0);
    }
}

#[test]
fn tls_certificates_that_are_accepted() {
    let root = Authority::root(authority("Root"));
    for row in ACCEPTED {
        let (result, requests) = outcome(&root, row);
        assert_eq!((result.ok(), requests), (Some(200), 1), "{}", row.0);
    }
}

/// Who says nothing about roots trusts the system's, and not whoever is there.
#[test]
fn tls_no_authority_given() {
    let root = Authority::root(authority("Root"));
    let peer = TlsPeer::showing(&root.issue(&leaf(IP, &[IP])));
    let session = builder().build().unwrap();
    let error = session.get(format!("https://{}/", peer.address)).send().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate | ErrorKind::Tls), "{error:#}");
    assert_eq!(peer.requests(), 0);
}
