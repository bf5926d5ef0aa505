//! A scene file: it is read, or refused with a line that it has; a comment changes nothing, and its
//! times can be changed by any factor.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock_lab::scene::Scene;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    match Scene::parse(text) {
        Ok(scene) => {
            let shown = format!("{scene:?}");
            let commented = Scene::parse(&format!("{text}\n# nothing")).expect("a comment");
            assert_eq!(format!("{commented:?}"), shown);
            assert_eq!(format!("{:?}", scene.clone().scaled(1.0)).len(), shown.len());
            for factor in [0.0, 1e-9, 1e30, -1.0, f64::NAN] {
                let _ = scene.clone().scaled(factor);
            }
        }
        Err(error) => {
            let lines = 1 + text.bytes().filter(|&byte| byte == b'\n').count();
            assert!((1..=lines).contains(&error.line), "{error}");
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
        }
    }
});
