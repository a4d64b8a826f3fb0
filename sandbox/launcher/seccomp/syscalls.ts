/**
 * Numbers of the system calls that steps are refused, from the kernel's tables (asm/unistd_64.h and
 * asm-generic/unistd.h). Null = the machine has none of that name. From 424 on all machines share the numbers.
 */
export interface Machine {
  /** AUDIT_ARCH_* of `struct seccomp_data`. */
  readonly arch: number;
  /** Bit of x32 calls on x86_64: another ABI with its own numbers, which no step needs. */
  readonly foreignBit: number | null;
  readonly column: 0 | 1;
}

export const MACHINES: Readonly<Partial<Record<string, Machine>>> = {
  x64: { arch: 0xc000003e, foreignBit: 0x40000000, column: 0 },
  arm64: { arch: 0xc00000b7, foreignBit: null, column: 1 },
};

/** Name → [x86_64, aarch64]. */
type Numbers = Readonly<Record<string, readonly [number | null, number | null]>>;

/** Refused whatever their arguments are. */
export const REFUSED: Numbers = {
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  open_tree_attr: [467, 467],
  unshare: [272, 97],
  setns: [308, 268],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  create_module: [174, null],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  acct: [163, 89],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, null],
  ioperm: [173, null],
  vhangup: [153, 58],
  lookup_dcookie: [212, 18],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
};

/** Refused by their arguments. */
export const CHECKED = {
  clone: [56, 220],
  clone3: [435, 435],
  personality: [135, 92],
  mknod: [133, null],
  mknodat: [259, 33],
  ioctl: [16, 29],
  socket: [41, 198],
  chmod: [90, null],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  creat: [85, null],
  open: [2, null],
  openat: [257, 56],
  openat2: [437, 437],
} as const satisfies Numbers;
