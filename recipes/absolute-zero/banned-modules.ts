/** What a proposed program must not import or use: state, time and chance from outside. */

/**
 * The paper's list, with what its text and its code name besides, and with the way round every list.
 *
 * @paper arXiv:2505.03335v3 section 3.3.3, fig. 10
 */
export const bannedModules: readonly string[] = [
  "logging",
  "random",
  "multiprocessing",
  "pebble",
  "subprocess",
  "threading",
  "datetime",
  "time",
  "hashlib",
  "hmac",
  "calendar",
  "bcrypt",
  "sys",
  "shutil",
  "os.sys",
  "os.path",
  "os.environ",
  "sys.exit",
  "importlib",
];
