//! Where packages come from: the user's own configuration, handed on to uv.
//!
//! uv reads its own variables and files by itself. What it does not read is pip's configuration, which is where a mirror or a
//! company's certificate is usually named.

use std::process::Command;

use serde::Deserialize;

use crate::command::{command, run};
use crate::error::{Error, Result};
use crate::python::Python;

/// Where Linux distributions keep the certificates that the machine trusts.
const CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The package index of this user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Index {
    main: String,
    extra: Vec<String>,
    trusted: Vec<String>,
    certificates: String,
    proxy: String,
}

impl Index {
    /// What pip is configured to use.
    pub(crate) fn of_pip(python: &Python) -> Result<Self> {
        let mut ask = command(&python.executable);
        ask.args(["-I", "-B", "-c", include_str!("scripts/index.py")]);
        let output = run(&mut ask, || "read the configuration of pip".to_owned())?;
        serde_json::from_slice(&output.stdout).map_err(|error| Error::Malformed {
            what: "configuration of pip".to_owned(),
            problem: error.to_string(),
        })
    }

    /// Makes a uv command use it, where the user has not told uv itself.
    pub(crate) fn apply(&self, uv: &mut Command) {
        for (name, value) in
            self.variables(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        {
            uv.env(name, value);
        }
    }

    fn variables(&self, set: &dyn Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        let unset = |names: &[&str]| names.iter().all(|name| set(name).is_none());
        if unset(&["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"]) {
            if !self.main.is_empty() {
                variables.push(("UV_DEFAULT_INDEX", self.main.clone()));
            }
            if !self.extra.is_empty() {
                variables.push(("UV_INDEX", self.extra.join(" ")));
            }
        }
        if unset(&["UV_INSECURE_HOST"]) && !self.trusted.is_empty() {
            variables.push(("UV_INSECURE_HOST", self.trusted.join(" ")));
        }
        if unset(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) && !self.proxy.is_empty() {
            variables.push(("HTTPS_PROXY", self.proxy.clone()));
        }
        if unset(&["SSL_CERT_FILE"]) && !self.certificates.is_empty() {
            variables.push(("SSL_CERT_FILE", self.certificates.clone()));
        }
        // The machine's own certificates know a company's proxy; without any, those that uv brings are better than none.
        if unset(&["UV_NATIVE_TLS", "UV_SYSTEM_CERTS"])
            && CERTIFICATES.iter().any(|path| std::path::Path::new(path).exists())
        {
            variables.push(("UV_NATIVE_TLS", "1".to_owned()));
            variables.push(("UV_SYSTEM_CERTS", "1".to_owned()));
        }
        variables
    }

    /// What a Node that fetches packages is told: the certificates and the proxy of pip, where it has none of its own. Node knows
    /// no certificates but those that it brings; the machine's know a company's proxy too.
    pub(crate) fn for_node(&self, set: &dyn Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        let machines = || CERTIFICATES.iter().find(|path| std::path::Path::new(path).exists());
        if !set("NODE_EXTRA_CA_CERTS") {
            let own = Some(self.certificates.clone()).filter(|path| !path.is_empty());
            let certificates = own.or_else(|| Some((*machines()?).to_owned()));
            variables.extend(certificates.map(|path| ("NODE_EXTRA_CA_CERTS", path)));
        }
        if !self.proxy.is_empty() && !["HTTPS_PROXY", "https_proxy"].iter().any(|name| set(name)) {
            variables.push(("HTTPS_PROXY", self.proxy.clone()));
        }
        variables
    }

    /// The addresses of the indexes, uv's own settings first.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let own = ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"];
        let own = own.iter().filter_map(|name| std::env::var(name).ok());
        let own: Vec<String> =
            own.flat_map(|value| value.split_whitespace().map(without_name).collect::<Vec<_>>()).collect();
        let all = own.into_iter().chain(std::iter::once(self.main.clone())).chain(self.extra.iter().cloned());
        all.filter(|address| address.contains("://")).collect()
    }
}

/// uv allows `name=address`.
fn without_name(value: &str) -> String {
    match value.split_once('=') {
        Some((name, address)) if !name.contains("://") => address.to_owned(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror() -> Index {
        Index {
            main: "https://mirror.test/simple".to_owned(),
            extra: vec!["https://more.test/simple".to_owned()],
            trusted: vec!["mirror.test".to_owned()],
            certificates: "/etc/company.pem".to_owned(),
            proxy: String::new(),
        }
    }

    #[test]
    fn the_configuration_of_pip_is_handed_on() {
        let variables = mirror().variables(&|_| None);
        assert!(variables.contains(&("UV_DEFAULT_INDEX", "https://mirror.test/simple".to_owned())));
        assert!(variables.contains(&("UV_INDEX", "https://more.test/simple".to_owned())));
        assert!(variables.contains(&("SSL_CERT_FILE", "/etc/company.pem".to_owned())));
    }

    #[test]
    fn what_was_told_to_uv_itself_comes_first() {
        let set = |name: &str| {
            matches!(name, "UV_INDEX_URL" | "SSL_CERT_FILE" | "UV_NATIVE_TLS").then(|| "x".to_owned())
        };
        let names: Vec<_> = mirror().variables(&set).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["UV_INSECURE_HOST"]);
    }

    #[test]
    fn node_gets_the_certificates_and_the_proxy_of_pip() {
        let index = Index { proxy: "http://proxy.test:3128".to_owned(), ..mirror() };
        let told = |set: &[&str]| index.for_node(&|name| set.contains(&name));
        assert_eq!(
            told(&[]),
            [
                ("NODE_EXTRA_CA_CERTS", "/etc/company.pem".to_owned()),
                ("HTTPS_PROXY", "http://proxy.test:3128".to_owned())
            ]
        );
        assert_eq!(told(&["NODE_EXTRA_CA_CERTS", "https_proxy"]), []);
    }

    #[test]
    fn a_name_before_an_address_is_dropped() {
        assert_eq!(without_name("mine=https://a.test/simple"), "https://a.test/simple");
        assert_eq!(without_name("https://a.test/simple?x=y"), "https://a.test/simple?x=y");
    }
}
