//! Pages in a real browser, if there is one: nothing is wider than the window from 360 pixels on, the
//! policy lets the style in, and the reader's choice of light or dark is followed.

use crate::runs;
use serde_json::Value;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use waterclock::run::{Run, Secrets};
use waterclock_export::{Program, html};

const WIDTHS: [u32; 4] = [360, 400, 768, 1280];

/// Looks into each frame, which is a page in a window of its own width.
const LOOK: &str = "onload = () => {
  const seen = [...document.querySelectorAll('iframe')].map(frame => {
    const page = frame.contentDocument;
    return {
      page: frame.src.split('/').pop(),
      width: frame.contentWindow.innerWidth,
      needed: page.documentElement.scrollWidth,
      ground: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
    };
  });
  document.body.innerText = JSON.stringify(seen);
}";

fn browser() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    found.into_iter().find(|path| path.is_file()).or_else(|| {
        // Not with `eprintln!`, which is not shown for tests that pass.
        let _ = writeln!(io::stderr(), "SKIPPED: chromium is not installed");
        None
    })
}

/// What the pages of `folder` look like; with 0 for dark and 1 for light.
fn look(browser: &Path, folder: &Path, scheme: u8) -> Vec<Value> {
    let output = Command::new("timeout")
        .args(["120".as_ref(), browser.as_os_str()])
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--allow-file-access-from-files", "--virtual-time-budget=5000"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", folder.join("look.html").display()))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let seen = text.split_once("<body>").and_then(|(_, rest)| rest.split_once("</body>"));
    let (seen, _) = seen.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(seen).unwrap_or_else(|error| panic!("{error}: {seen}"))
}

#[test]
fn pages_fit_small_windows_in_light_and_dark() {
    let Some(browser) = browser() else { return };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.join(format!("browser-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut frames = String::new();
    for (name, run) in runs::all() {
        std::fs::write(folder.join(format!("{name}.html")), html(&run, Secrets::Shown)).unwrap();
        for width in WIDTHS {
            frames += &format!("<iframe width={width} height=700 src=\"{name}.html\"></iframe>");
        }
    }
    let all: Vec<Run> = runs::all().into_iter().map(|(_, run)| run).collect();
    let program = Program { name: "all.py", runs: &all, left_out: 2 };
    std::fs::write(folder.join("program.html"), program.html()).unwrap();
    for width in WIDTHS {
        frames += &format!("<iframe width={width} height=700 src=\"program.html\"></iframe>");
    }
    let page = format!("<!DOCTYPE html><body>{frames}</body><script>{LOOK}</script>");
    std::fs::write(folder.join("look.html"), page).unwrap();
    for (scheme, ground) in [(1, "rgb(238, 242, 246)"), (0, "rgb(10, 13, 19)")] {
        let seen = look(&browser, &folder, scheme);
        assert_eq!(seen.len(), (runs::all().len() + 1) * WIDTHS.len());
        for frame in seen {
            let (width, needed) = (frame["width"].as_u64(), frame["needed"].as_u64());
            assert!(needed.is_some() && needed <= width, "{frame:#}");
            assert_eq!(frame["ground"], ground, "{frame:#}");
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
}
