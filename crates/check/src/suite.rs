//! The steps that are one program of the toolchain, or a tool that sharpens it.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::environment;
use crate::step::Verdict;
use crate::workspace::{Workspace, answers, run};

pub(crate) fn format(workspace: &Workspace) -> Result<Verdict> {
    with_tool(workspace, "fmt", "rustup component add rustfmt", || {
        run(&mut workspace.cargo(["fmt", "--all", "--check", "--", "--color=never"]))
    })
}

pub(crate) fn clippy(workspace: &Workspace) -> Result<Verdict> {
    with_tool(workspace, "clippy", "rustup component add clippy", || {
        run(&mut workspace.cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })
}

const DENY: &str = "cargo install cargo-deny --locked";

pub(crate) fn deny(workspace: &Workspace) -> Result<Verdict> {
    with_tool(workspace, "deny", DENY, || {
        let check = ["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
        run(&mut workspace.cargo(check))
    })
}

pub(crate) fn advisories(workspace: &Workspace) -> Result<Verdict> {
    // They are a repository elsewhere: that it cannot be reached says nothing about this tree.
    if has(workspace, "deny") && !answers(&mut workspace.cargo(["deny", "fetch", "db"])) {
        return Ok(Verdict::Skipped("their database cannot be reached".to_owned()));
    }
    with_tool(workspace, "deny", DENY, || {
        run(&mut workspace.cargo(["deny", "check", "--hide-inclusion-graph", "advisories"]))
    })
}

pub(crate) fn tests(workspace: &Workspace) -> Result<Verdict> {
    run(runner(workspace)
        .args(["--workspace", "--no-fail-fast"])
        .env(environment::VARIABLE, environment::directory(workspace)))?;
    Ok(Verdict::Passed)
}

/// What runs tests: `cargo nextest run`, or `cargo test` where that is not.
pub(crate) fn runner(workspace: &Workspace) -> Command {
    workspace.cargo(if has(workspace, "nextest") { ["nextest", "run"] } else { ["test", "--tests"] })
}

pub(crate) fn doctests(workspace: &Workspace) -> Result<Verdict> {
    run(&mut workspace.cargo(["test", "--workspace", "--doc", "--quiet"]))?;
    Ok(Verdict::Passed)
}

fn with_tool(
    workspace: &Workspace,
    tool: &str,
    remedy: &str,
    check: impl FnOnce() -> Result<()>,
) -> Result<Verdict> {
    if !has(workspace, tool) {
        return Ok(Verdict::Skipped(format!("not here: `{remedy}`")));
    }
    check()?;
    Ok(Verdict::Passed)
}

fn has(workspace: &Workspace, tool: &str) -> bool {
    answers(&mut workspace.cargo([tool, "--version"]))
}

/// Whether a program of the system is there.
pub(crate) fn has_program(name: &str) -> bool {
    Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
