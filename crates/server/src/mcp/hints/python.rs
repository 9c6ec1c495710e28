//! What helps with exceptions of Python.

use session::network::Mode;

use super::{Failure, Place, lower, no_variable, quoted};

/// What packages are called for pip, where their modules have other names.
const PACKAGES: [(&str, &str); 10] = [
    ("sklearn", "scikit-learn"),
    ("cv2", "opencv-python-headless"),
    ("bs4", "beautifulsoup4"),
    ("yaml", "PyYAML"),
    ("skimage", "scikit-image"),
    ("docx", "python-docx"),
    ("pptx", "python-pptx"),
    ("fitz", "PyMuPDF"),
    ("dotenv", "python-dotenv"),
    ("xgboost", "xgboost-cpu"),
];

/// What to try after an exception.
pub(super) fn of(failure: &Failure, place: &Place) -> Option<String> {
    let text = failure.text;
    let hint = match failure.name {
        "NameError" if failure.fresh && text.contains("is not defined") => no_variable(failure.language),
        "ModuleNotFoundError" => no_module(&quoted(text)?, place),
        "ImportError" if text.contains("Cannot load backend") || text.contains("interactive framework") => {
            "There is no display, and none is needed: leave `matplotlib.use(…)` out, or use 'Agg'. Figures come back \
             as images."
                .to_owned()
        }
        "EOFError" | "StdinNotImplementedError" if text.contains("input") || text.contains("EOF") => {
            "Nobody can type anything in: put the values into the code instead of input().".to_owned()
        }
        "SyntaxError" if text.contains("'return' outside function") => {
            "Code here is no function: leave `return` out; the value of the last line is shown.".to_owned()
        }
        name if is_network(name, text) => place.reach.clone(),
        "MemoryError" => "Work on smaller pieces of the data.".to_owned(),
        _ => return None,
    };
    Some(hint)
}

fn no_module(module: &str, place: &Place) -> String {
    let module = module.split('.').next().unwrap_or(module);
    let package =
        PACKAGES.iter().find_map(|(name, package)| (*name == module).then_some(*package)).unwrap_or(module);
    match place.network {
        Mode::None => {}
        Mode::Allow => {
            return format!(
                "Install it, if the package index is among what the session's operator has listed: \
                 execute_command(\"pip install {package}\")."
            );
        }
        Mode::Internet => return format!("Install it: execute_command(\"pip install {package}\")."),
    }
    if let Some(environment) = elsewhere(module, place) {
        return format!(
            "`{module}` is not installed here, and {} The environment `{environment}` has it: the user gets that by \
             `cellblock env install {environment}`, and by starting cellblock anew with `--env {environment}`.",
            lower(&place.reach)
        );
    }
    format!(
        "`{module}` is not installed, and {} `pip list` tells what is there: execute_command(\"pip list\").",
        lower(&place.reach)
    )
}

/// Another environment that has this module, where the session's has not.
fn elsewhere(module: &str, place: &Place) -> Option<&'static str> {
    let here = environment::Recipe::named(place.environment.as_deref()?).ok()?;
    environment::holder(module).map(|holder| holder.name).filter(|_| !here.provides(module))
}

/// Whether an exception is one of a connection that was not made.
fn is_network(name: &str, text: &str) -> bool {
    let names = [
        "gaierror",
        "URLError",
        "ConnectionError",
        "ConnectError",
        "ConnectTimeout",
        "NameResolutionError",
        "ClientConnectorError",
        "MaxRetryError",
        "NewConnectionError",
        "ProxyError",
        "EndpointConnectionError",
    ];
    let texts = ["Name or service not known", "name resolution", "Network is unreachable", "[Errno 101]"];
    names.contains(&name.rsplit('.').next().unwrap_or(name)) || texts.iter().any(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{failure, place};
    use super::*;
    use session::Language::Python;

    #[test]
    fn exceptions_that_are_common_have_a_hint() {
        let none = place(Mode::None);
        for (name, text, says) in [
            (
                "ModuleNotFoundError",
                "No module named 'yfinance'",
                "`yfinance` is not installed, and this session has no",
            ),
            (
                "ImportError",
                "Cannot load backend 'TkAgg' which requires the 'tk' interactive framework",
                "no display",
            ),
            ("EOFError", "EOF when reading a line", "Nobody can type"),
            ("ConnectionError", "HTTPSConnectionPool(host='api.example.com', port=443)", "no network"),
            ("gaierror", "[Errno -3] Temporary failure in name resolution", "no network"),
            ("NameError", "name 'df' is not defined", "No variable of an earlier call"),
            ("SyntaxError", "'return' outside function", "leave `return` out"),
        ] {
            let hint = of(&failure(Python, name, text), &none).unwrap_or_else(|| panic!("{name}"));
            assert!(hint.contains(says), "{hint}");
        }
        assert_eq!(of(&failure(Python, "ValueError", "no"), &none), None);
        let later = Failure { fresh: false, ..failure(Python, "NameError", "name 'df' is not defined") };
        assert_eq!(of(&later, &none), None);
    }

    #[test]
    fn a_module_that_is_not_there_is_found_elsewhere_or_installed() {
        let missing = |module: &str, place: &Place| {
            let text = format!("No module named '{module}'");
            of(&failure(Python, "ModuleNotFoundError", &text), place).unwrap()
        };
        let internet = place(Mode::Internet);
        assert_eq!(missing("a.b", &internet), "Install it: execute_command(\"pip install a\").");
        assert_eq!(
            missing("sklearn", &internet),
            "Install it: execute_command(\"pip install scikit-learn\")."
        );
        let none = place(Mode::None);
        assert!(missing("sklearn.svm", &none).contains("`cellblock env install full`"));
        assert!(!missing("yfinance", &none).contains("env install"));
        let full = Place { environment: Some("full".to_owned()), ..none };
        assert!(!missing("sklearn", &full).contains("env install"));
    }
}
