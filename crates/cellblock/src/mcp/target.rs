//! Where a server that messages are handed on to is.

use std::fmt;

use session::workspace::WorkspaceName;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) authority: String,
    pub(super) path: String,
}

impl Target {
    /// A URL as people write it.
    pub(super) fn parse(url: &str) -> Result<Target, String> {
        let example = "a server is `http://127.0.0.1:8080/mcp`";
        if url.starts_with("https://") {
            return Err(
                "this build speaks no TLS: reach the server through an SSH tunnel, as http".to_owned()
            );
        }
        let rest = url.strip_prefix("http://").ok_or(example)?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let uri: hyper::Uri = url.parse().map_err(|_| example)?;
        if uri.host().is_none_or(str::is_empty) || authority.contains('@') {
            return Err(example.to_owned());
        }
        let path = match path {
            "" | "/" => "/mcp".to_owned(),
            path if path.starts_with('?') => format!("/mcp{path}"),
            path => path.to_owned(),
        };
        let authority =
            if uri.port_u16().is_some() { authority.to_owned() } else { format!("{authority}:80") };
        Ok(Target { authority, path })
    }

    pub(super) fn with_workspace(mut self, workspace: Option<&WorkspaceName>) -> Target {
        if let Some(workspace) = workspace {
            let mark = if self.path.contains('?') { '&' } else { '?' };
            self.path = format!("{}{mark}workspace={workspace}", self.path);
        }
        self
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_url() {
        for (url, expected) in [
            ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/mcp"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/mcp"),
            ("http://localhost/", "http://localhost:80/mcp"),
            ("http://[::1]:9/x?workspace=a", "http://[::1]:9/x?workspace=a"),
            ("http://a.example?workspace=a", "http://a.example:80/mcp?workspace=a"),
        ] {
            assert_eq!(Target::parse(url).unwrap().to_string(), expected);
        }
        for wrong in ["", "127.0.0.1:8080", "http://", "http:///mcp", "ftp://a", "http://a b/", "http://u@h/"]
        {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Target::parse("https://a.example/mcp").unwrap_err().contains("TLS"));
    }

    #[test]
    fn a_workspace_is_named_in_the_query() {
        let name = WorkspaceName::parse("mine").unwrap();
        let of = |url| Target::parse(url).unwrap().with_workspace(Some(&name)).to_string();
        assert_eq!(of("http://h:1"), "http://h:1/mcp?workspace=mine");
        assert_eq!(of("http://h:1/mcp?x=y"), "http://h:1/mcp?x=y&workspace=mine");
    }
}
