/** The environment that Python is started in: what it needs to find itself and its packages, and no keys of anybody. */

const needed =
  /^(PATH|HOME|USERPROFILE|APPDATA|LOCALAPPDATA|SYSTEMROOT|LANG|LC_ALL|TZ|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|VIRTUAL_ENV|PYTHONPATH|PYTHONHOME|NLTK_DATA|(PYENV|CONDA)_\w+)$/iu;

export function pythonEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const kept = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && needed.test(name) ? [[name, value] as const] : [],
  );
  // Sets of Python are else in another order in every process, and a play could not be repeated.
  return { ...Object.fromEntries(kept), PYTHONHASHSEED: "0", PYTHONUTF8: "1" };
}
