//! Network modes of this wire, and what they are here.
//!
//! SANDBOX is no network; PUBLIC is the mode `internet`; VPC is what the operator has listed, the nearest that a machine
//! of one's own has to a network of one's own. The server's configuration is the most that any session has: what goes
//! beyond it is refused when an interpreter is made, and again when a session is started with one from a time when the
//! server permitted more. Nothing is narrowed or widened in silence.

use serde::{Deserialize, Serialize};
use session::Network;
use session::network::Mode;

use super::rules::{self, Rules};

/// A network configuration, as clients send it and as it is given back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Configuration {
    network_mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vpc_config: Option<Vpc>,
}

/// Names of things that this machine does not have; kept and given back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Vpc {
    security_groups: Option<Vec<String>>,
    subnets: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    require_service_s3_endpoint: Option<bool>,
}

/// Checks a configuration's shape.
pub(super) fn check(rules: &mut Rules, configuration: Option<&Configuration>) {
    const NAME: &str = "networkConfiguration";
    let mode = configuration.and_then(|configuration| configuration.network_mode.as_deref());
    rules.required(&format!("{NAME}.networkMode"), mode, rules::NETWORK_MODE);
    let Some(vpc) = configuration.and_then(|configuration| configuration.vpc_config.as_ref()) else { return };
    let name = format!("{NAME}.vpcConfig");
    if mode != Some("VPC") {
        rules.broken(&name, "Member is for the network mode VPC alone");
    }
    for (field, values, rule) in [
        ("securityGroups", &vpc.security_groups, rules::SECURITY_GROUP),
        ("subnets", &vpc.subnets, rules::SUBNET),
    ] {
        let field = format!("{name}.{field}");
        let Some(values) = values else {
            rules.broken(&field, "Member must not be null");
            continue;
        };
        rules.count(&field, Some(values.len()), 1, 16);
        for (n, value) in values.iter().take(16).enumerate() {
            rules.text(&format!("{field}[{n}]"), Some(value), rule);
        }
    }
}

/// What a session of an interpreter with this configuration may reach, where the server permits `most`; else why not.
pub(super) fn reach(configuration: &Configuration, most: &Network) -> Result<Network, String> {
    let refused = |mode, wanted| {
        format!(
            "{mode} is not to be had on this server: its operator permits the network mode {} at most \
             (`network.mode`), and {mode} needs {wanted}",
            most.mode
        )
    };
    match configuration.network_mode.as_deref() {
        Some("SANDBOX") => Ok(Network::default()),
        Some("PUBLIC") if most.mode == Mode::Internet => Ok(Network { allow: Vec::new(), ..most.clone() }),
        Some("PUBLIC") => Err(refused("PUBLIC", "internet")),
        Some("VPC") if most.mode != Mode::None => Ok(Network { mode: Mode::Allow, ..most.clone() }),
        Some("VPC") => Err(refused("VPC", "allow or internet")),
        other => Err(format!("{} is no network mode", other.unwrap_or("null"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(mode: Mode) -> Network {
        Network {
            mode,
            allow: vec!["example.org".parse().unwrap()],
            open_private: vec!["10.1.2.3:5432".parse().unwrap()],
            ..Network::default()
        }
    }

    fn configuration(text: &str) -> Configuration {
        serde_json::from_str(text).unwrap()
    }

    fn mode(mode: &str) -> Configuration {
        Configuration { network_mode: Some(mode.to_owned()), vpc_config: None }
    }

    #[test]
    fn no_session_reaches_more_than_the_operator_permits() {
        for (wanted, permitted, given) in [
            ("SANDBOX", Mode::None, Some(Mode::None)),
            ("SANDBOX", Mode::Internet, Some(Mode::None)),
            ("PUBLIC", Mode::None, None),
            ("PUBLIC", Mode::Allow, None),
            ("PUBLIC", Mode::Internet, Some(Mode::Internet)),
            ("VPC", Mode::None, None),
            ("VPC", Mode::Allow, Some(Mode::Allow)),
            ("VPC", Mode::Internet, Some(Mode::Allow)),
        ] {
            let reached = reach(&mode(wanted), &most(permitted));
            assert_eq!(reached.as_ref().ok().map(|network| network.mode), given, "{wanted} of {permitted}");
            if let Err(why) = reached {
                assert!(why.contains(wanted) && why.contains("`network.mode`"), "{why}");
            }
        }
    }

    #[test]
    fn what_a_mode_has_no_use_for_it_does_not_get() {
        let sandbox = reach(&mode("SANDBOX"), &most(Mode::Internet)).unwrap();
        assert_eq!(sandbox, Network::default());
        let public = reach(&mode("PUBLIC"), &most(Mode::Internet)).unwrap();
        assert!(public.allow.is_empty() && public.open_private.len() == 1);
        let vpc = reach(&mode("VPC"), &most(Mode::Internet)).unwrap();
        assert!(vpc.allow.len() == 1 && vpc.open_private.len() == 1);
    }

    #[test]
    fn a_vpc_has_its_shape() {
        let fault = |text: &str| {
            let mut rules = Rules::default();
            check(&mut rules, Some(&configuration(text)));
            rules.hold().err().map(|fault| fault.message).unwrap_or_default()
        };
        let good = r#"{"networkMode":"VPC","vpcConfig":{"securityGroups":["sg-01234567"],"subnets":["subnet-0123456789abcdef0"]}}"#;
        assert_eq!(fault(good), "");
        assert_eq!(fault(r#"{"networkMode":"VPC"}"#), "");
        assert_eq!(serde_json::to_string(&configuration(good)).unwrap(), good);
        assert!(fault(&good.replace("\"VPC\"", "\"PUBLIC\"")).contains("for the network mode VPC alone"));
        assert!(
            fault(&good.replace("sg-01234567", "sg-1"))
                .contains("'networkConfiguration.vpcConfig.securityGroups[0]'")
        );
        assert!(
            fault(r#"{"networkMode":"VPC","vpcConfig":{"subnets":[]}}"#).starts_with("2 validation errors")
        );
        assert!(fault(r#"{"networkMode":"internet"}"#).contains("'networkConfiguration.networkMode'"));
    }
}
