//! What libraries work with that does not come with them: programs and libraries of the host, models and corpora.
//!
//! A cell sees the host's `/usr` (without `local` and `src`), so what the host's package manager installs is there in every cell,
//! at once. Everything that an environment wants is a row of a table here; `env show` and `doctor` only tell it.

use std::path::Path;

/// Something of the host's that a library works with.
#[derive(Debug, PartialEq, Eq)]
pub struct Want {
    /// The libraries that work with it, by their distributions' names. Each can be imported without, but for `Wand`.
    pub libraries: &'static [&'static str],
    /// What it is.
    pub what: &'static str,
    /// How it is found.
    pub sign: Sign,
    /// The package that has it, on Debian and Ubuntu.
    pub debian: &'static str,
    /// The package that has it, on Fedora.
    pub fedora: &'static str,
}

/// What shows that something is there.
#[derive(Debug, PartialEq, Eq)]
pub enum Sign {
    /// A program of this name.
    Program(&'static str),
    /// A shared library whose file's name begins so.
    Library(&'static str),
}

/// Something that a library is used with, and that is fetched by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Absent {
    /// The library, by its distribution's name.
    pub library: &'static str,
    /// What does not come with it, and what works without.
    pub what: &'static str,
    /// How to bring it.
    pub remedy: &'static str,
}

/// What `full` wants of the host.
pub(crate) static HOST: &[Want] = &[
    Want {
        libraries: &["wand"],
        what: "ImageMagick's library, without which it cannot be imported",
        sign: Sign::Library("libMagickWand-"),
        debian: "libmagickwand-dev",
        fedora: "ImageMagick-libs",
    },
    Want {
        libraries: &["pdf2image"],
        what: "`pdftoppm`, which draws the pages (pypdfium2 draws them by itself)",
        sign: Sign::Program("pdftoppm"),
        debian: "poppler-utils",
        fedora: "poppler-utils",
    },
    Want {
        libraries: &["pytesseract"],
        what: "`tesseract`, which reads the text",
        sign: Sign::Program("tesseract"),
        debian: "tesseract-ocr",
        fedora: "tesseract",
    },
    Want {
        libraries: &["tabula-py"],
        what: "Java, in which it finds tables (pdfplumber finds them by itself)",
        sign: Sign::Program("java"),
        debian: "default-jre-headless",
        fedora: "java-latest-openjdk-headless",
    },
    Want {
        libraries: &["pdfkit", "imgkit"],
        what: "`wkhtmltopdf`, which draws pages of HTML",
        sign: Sign::Program("wkhtmltopdf"),
        debian: "wkhtmltopdf",
        fedora: "wkhtmltopdf",
    },
    Want {
        libraries: &["graphviz"],
        what: "`dot`, which lays graphs out (igraph and networkx do so by themselves)",
        sign: Sign::Program("dot"),
        debian: "graphviz",
        fedora: "graphviz",
    },
    Want {
        libraries: &["pydub", "ffmpeg-python"],
        what: "`ffprobe`, which tells what is in a file (ffmpeg itself comes with imageio-ffmpeg)",
        sign: Sign::Program("ffprobe"),
        debian: "ffmpeg",
        fedora: "ffmpeg-free",
    },
    Want {
        libraries: &["lightgbm"],
        what: "the OpenMP library of gcc, without which it cannot be imported",
        sign: Sign::Library("libgomp.so.1"),
        debian: "libgomp1",
        fedora: "libgomp",
    },
];

/// What does not come with the libraries of `full`. All of it can be brought as files, which a cell without a network needs.
pub(crate) static ABSENT: &[Absent] = &[
    Absent {
        library: "nltk",
        what: "corpora and models; stemmers, n-grams and regular tokenizers work without",
        remedy: "bring a directory made by `python -m nltk.downloader -d nltk_data …`, and name it in `NLTK_DATA`",
    },
    Absent {
        library: "textblob",
        what: "nltk's corpora, for words, sentences and tags; sentiment works without",
        remedy: "as for nltk",
    },
    Absent {
        library: "spacy",
        what: "trained pipelines such as `en_core_web_sm`; `spacy.blank(\"en\")` works without",
        remedy: "bring the pipeline's wheel, and `pip install` it in the session",
    },
    Absent {
        library: "tiktoken",
        what: "the vocabularies of encodings, which it fetches when first used",
        remedy: "bring the files, and name their directory in `TIKTOKEN_CACHE_DIR`",
    },
    Absent {
        library: "torchvision",
        what: "the weights of pretrained models, and data sets (torchaudio's too)",
        remedy: "bring the files, and load them with `torch.load`",
    },
    Absent {
        library: "gtts",
        what: "the voice, which is a service on the network (oeis, openai and boto3 ask services too)",
        remedy: "none in a cell without a network",
    },
];

impl Want {
    /// Whether it is where cells see it.
    pub fn is_here(&self) -> bool {
        self.is_below(Path::new("/"))
    }

    fn is_below(&self, root: &Path) -> bool {
        match self.sign {
            Sign::Program(name) => {
                ["usr/bin", "bin", "usr/sbin"].iter().any(|dir| root.join(dir).join(name).exists())
            }
            Sign::Library(beginning) => {
                let machine = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
                [machine.as_str(), "usr/lib64", "usr/lib", "lib64", "lib"].iter().any(|dir| {
                    std::fs::read_dir(root.join(dir))
                        .into_iter()
                        .flatten()
                        .flatten()
                        .any(|entry| entry.file_name().as_encoded_bytes().starts_with(beginning.as_bytes()))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::KNOWN;
    use std::fs::{create_dir_all, write};

    #[test]
    fn what_is_there_is_found_where_cells_see_it() {
        let root = tempfile::tempdir().unwrap();
        let want = |sign| Want { libraries: &["x"], what: "x", sign, debian: "x", fedora: "x" };
        let (program, library) = (want(Sign::Program("dot")), want(Sign::Library("libMagickWand-")));
        assert!(!program.is_below(root.path()) && !library.is_below(root.path()));
        for dir in ["usr/bin", "usr/local/bin", "usr/lib64"] {
            create_dir_all(root.path().join(dir)).unwrap();
        }
        write(root.path().join("usr/local/bin/dot"), "").unwrap();
        assert!(!program.is_below(root.path()), "cells do not see /usr/local");
        write(root.path().join("usr/bin/dot"), "").unwrap();
        write(root.path().join("usr/lib64/libMagickWand-7.Q16.so.10"), "").unwrap();
        assert!(program.is_below(root.path()) && library.is_below(root.path()));
    }

    #[test]
    fn every_library_that_wants_something_is_in_its_lock() {
        for recipe in KNOWN {
            let wanting = recipe.wants.iter().flat_map(|want| want.libraries.iter().copied());
            for library in wanting.chain(recipe.absent.iter().map(|absent| absent.library)) {
                let line = format!("\n{library}==");
                assert!(recipe.requirements.contains(&line), "`{}` does not hold {library}", recipe.name);
            }
        }
    }
}
