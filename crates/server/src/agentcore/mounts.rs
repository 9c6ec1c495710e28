//! File systems that clients want to be mounted: which workspace each one is, and where a session sees it.
//!
//! At AWS an access point of S3 Files or EFS is a directory in a file system that its owner has. Here the access point's id
//! is the name of a workspace of the caller's, which is there as soon as something is in it: whoever names the same access
//! point sees the same files. What else the ARNs say (region, account, file system) is kept and told again, and means
//! nothing.
//!
//! A session works on one workspace, which is where its code begins. So one access point is mounted, in one place.

use serde::{Deserialize, Serialize};
use session::workspace::{Store, View, WorkspaceName};
use session::{Mount, Principal, SessionOptions, WorkspaceOptions};

use crate::fault::Fault;

use super::rules::{self, Rules};

/// The field that configurations come in, of an interpreter and of a session.
const FIELD: &str = "filesystemConfigurations";

/// A file system that a client wants to be mounted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileSystem {
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_files_configuration: Option<Wanted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    efs_configuration: Option<Wanted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    access_point_arn: String,
    mount_path: String,
    file_system_arn: String,
}

/// What a session has mounted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mounted {
    pub(super) workspace: WorkspaceName,
    pub(super) mount: Mount,
}

impl Mounted {
    /// Options of a session of this principal that has it mounted.
    pub(super) fn options(self, store: &Store, principal: &Principal) -> SessionOptions {
        let workspace = store.workspace(principal.as_str(), &self.workspace);
        let workspace = Some(WorkspaceOptions { workspace, view: View::Whole });
        SessionOptions { mount: self.mount, workspace, ..SessionOptions::default() }
    }
}

impl FileSystem {
    /// The one configuration of the two that there may be.
    fn access_point(&self) -> Option<&Wanted> {
        match (&self.s3_files_configuration, &self.efs_configuration) {
            (Some(one), None) | (None, Some(one)) => Some(one),
            _ => None,
        }
    }
}

impl Wanted {
    /// Its id: what stands at the end of its ARN.
    fn id(&self) -> Option<&str> {
        let (before, id) = self.access_point_arn.rsplit_once('/')?;
        let kind = before.rsplit([':', '/']).next()?;
        (before.starts_with("arn:") && kind == "access-point").then_some(id)
    }

    fn mounted(&self) -> Option<Mounted> {
        let workspace = WorkspaceName::parse(self.id()?).ok()?;
        Some(Mounted { workspace, mount: Mount::new(&self.mount_path)? })
    }
}

/// Checks what a client wants, each for itself.
pub(super) fn check(rules: &mut Rules, wanted: Option<&[FileSystem]>) {
    rules.count(FIELD, wanted.map(<[_]>::len), 0, 10);
    let mut places = Vec::new();
    for (n, file_system) in wanted.unwrap_or_default().iter().enumerate() {
        let name = format!("{FIELD}[{n}]");
        let Some(point) = file_system.access_point() else {
            rules.broken(&name, "Member must have exactly one of s3FilesConfiguration and efsConfiguration");
            continue;
        };
        let path = Some(point.mount_path.as_str());
        rules.text(&format!("{name}.mountPath"), path, rules::MOUNT_PATH);
        rules.text(&format!("{name}.fileSystemArn"), Some(&point.file_system_arn), rules::FILE_SYSTEM_ARN);
        let arn = format!("{name}.accessPointArn");
        rules.text(&arn, Some(&point.access_point_arn), rules::ACCESS_POINT_ARN);
        match point.id().map(WorkspaceName::parse) {
            Some(Ok(_)) => {}
            Some(Err(refused)) => rules.broken(
                &arn,
                format!("the access point's id names a workspace of this server: {}", refused.why()),
            ),
            None => rules
                .broken(&arn, "Member must be the ARN of an access point, with `access-point/ID` at its end"),
        }
        match Mount::new(&point.mount_path) {
            Some(mount) if places.contains(&mount) => {
                rules.broken(&format!("{name}.mountPath"), format!("`{mount}` is there twice"));
            }
            Some(mount) => places.push(mount),
            None if matches!(point.mount_path.as_str(), "/mnt/." | "/mnt/./" | "/mnt/.." | "/mnt/../") => {
                rules.broken(&format!("{name}.mountPath"), "`.` and `..` are no names");
            }
            // Its pattern was broken, which has been said.
            None => {}
        }
    }
}

/// What an interpreter's sessions have mounted together with what a session's own client wants. For the same place the
/// session's is taken.
pub(super) fn combined(
    interpreters: &[FileSystem],
    sessions: Option<Vec<FileSystem>>,
) -> Option<Vec<FileSystem>> {
    if interpreters.is_empty() {
        return sessions;
    }
    let place =
        |file_system: &FileSystem| file_system.access_point().and_then(|point| Mount::new(&point.mount_path));
    let mut all = sessions.unwrap_or_default();
    let own: Vec<_> = all.iter().map(place).collect();
    all.extend(interpreters.iter().filter(|file_system| !own.contains(&place(file_system))).cloned());
    Some(all)
}

/// What is mounted, of configurations that were checked.
pub(super) fn mounted(file_systems: &[FileSystem]) -> Result<Option<Mounted>, Fault> {
    let one = |file_system: &FileSystem| {
        let mounted = file_system.access_point().and_then(Wanted::mounted);
        mounted.ok_or_else(|| Fault::field(FIELD, "Member must name an access point, and a place in `/mnt`"))
    };
    match file_systems {
        [] => Ok(None),
        [only] => one(only).map(Some),
        [first, second, ..] => {
            let (first, second) = (one(first)?, one(second)?);
            Err(Fault::field(
                FIELD,
                format!(
                    "one access point is mounted in a session, in one place; here are `{}` at `{}` and `{}` at `{}`",
                    first.workspace, first.mount, second.workspace, second.mount
                ),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const S3: &str = "arn:aws:s3files:us-east-1:000000000000:file-system/fs-11111111111111111/access-point/fsap-22222222222222222";
    const EFS: &str = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123abcd";

    fn one(kind: &str, arn: &str, path: &str) -> Value {
        json!({ kind: { "accessPointArn": arn, "mountPath": path, "fileSystemArn": "arn:aws:x:::file-system/fs-1" } })
    }

    fn read(wanted: &[Value]) -> Vec<FileSystem> {
        serde_json::from_value(wanted.into()).unwrap()
    }

    fn checked(wanted: &[Value]) -> Result<Vec<FileSystem>, String> {
        let wanted = read(wanted);
        let mut rules = Rules::default();
        check(&mut rules, Some(&wanted));
        rules.hold().map(|()| wanted).map_err(|fault| fault.message)
    }

    fn name_and_place(file_systems: &[FileSystem]) -> Option<(String, String)> {
        let mounted = mounted(file_systems).unwrap()?;
        Some((mounted.workspace.to_string(), mounted.mount.to_string()))
    }

    #[test]
    fn an_access_point_names_a_workspace() {
        for (kind, arn, name) in [
            ("s3FilesConfiguration", S3, "fsap-22222222222222222"),
            ("efsConfiguration", EFS, "fsap-0123abcd"),
            ("s3FilesConfiguration", "arn:aws:s3files:::access-point/team.data_2", "team.data_2"),
        ] {
            let wanted = checked(&[one(kind, arn, "/mnt/data/")]).unwrap();
            assert_eq!(name_and_place(&wanted), Some((name.to_owned(), "/mnt/data".to_owned())));
        }
        assert_eq!(name_and_place(&[]), None);
    }

    #[test]
    fn what_names_none_is_refused_with_the_reason() {
        for (arn, why) in [
            ("arn:aws:s3files:us-east-1:0:file-system/fs-1", "access-point/ID"),
            ("fsap-0123", "access-point/ID"),
            ("access-point/fsap-0123", "access-point/ID"),
            ("arn:aws:s3files:::no-access-point/x", "access-point/ID"),
            ("arn:aws:s3files:::access-point/", "1 to 128 characters"),
            ("arn:aws:s3files:::access-point/..", "begins with a letter or a digit"),
            ("arn:aws:s3files:::access-point/a b", "letters, digits"),
            ("arn:aws:s3files:::access-point/ü", "letters, digits"),
            (&format!("arn:aws:s3files:::access-point/{}", "x".repeat(300)), "less than or equal to 256"),
        ] {
            let said = checked(&[one("efsConfiguration", arn, "/mnt/data")]).unwrap_err();
            assert!(
                said.contains("filesystemConfigurations[0].accessPointArn") && said.contains(why),
                "{said}"
            );
        }
    }

    #[test]
    fn places_are_those_of_the_model() {
        for path in
            ["/mnt/", "/mnt/a/b", "/data", "/mnt/a b", "/mnt/.", "/mnt/..", "/mnt/../", "/mnt/ä", "/mnt/./"]
        {
            let said = checked(&[one("efsConfiguration", EFS, path)]).unwrap_err();
            assert!(said.contains("filesystemConfigurations[0].mountPath"), "{path}: {said}");
        }
        let twice = [one("efsConfiguration", EFS, "/mnt/a"), one("s3FilesConfiguration", S3, "/mnt/a/")];
        assert!(checked(&twice).unwrap_err().contains("`/mnt/a` is there twice"));
        assert!(checked(&[one("efsConfiguration", EFS, &format!("/mnt/{}", "x".repeat(195)))]).is_ok());
        assert!(checked(&[one("efsConfiguration", EFS, &format!("/mnt/{}", "x".repeat(196)))]).is_err());
    }

    #[test]
    fn exactly_one_kind_is_said() {
        let mut both = one("efsConfiguration", EFS, "/mnt/a");
        both["s3FilesConfiguration"] = both["efsConfiguration"].clone();
        for wanted in [json!({}), both] {
            assert!(checked(&[wanted]).unwrap_err().contains("exactly one of"));
        }
    }

    #[test]
    fn a_session_has_its_own_before_its_interpreters() {
        let interpreters = read(&[one("efsConfiguration", EFS, "/mnt/data")]);
        let own = read(&[one("s3FilesConfiguration", S3, "/mnt/data/")]);
        assert_eq!(combined(&interpreters, Some(own.clone())), Some(own.clone()));
        assert_eq!(combined(&interpreters, None), Some(interpreters.clone()));
        assert_eq!(combined(&[], Some(own.clone())), Some(own));
        assert_eq!((combined(&[], None), combined(&[], Some(Vec::new()))), (None, Some(Vec::new())));

        let elsewhere = read(&[one("s3FilesConfiguration", S3, "/mnt/other")]);
        let both = combined(&interpreters, Some(elsewhere)).unwrap();
        assert_eq!(both.len(), 2);
        let said = mounted(&both).unwrap_err().message;
        assert!(
            said.contains("one access point") && said.contains("`fsap-0123abcd` at `/mnt/data`"),
            "{said}"
        );
    }
}
