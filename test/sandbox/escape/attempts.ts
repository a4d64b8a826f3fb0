/**
 * Attempts to get out of a step's sandbox. Each is a script of sh that ends with 0 when it got what it wanted. Before
 * one counts as denied inside, it has to succeed outside, as the same user: so none of them may harm the machine when
 * it succeeds. Files of the kernel are opened for writing, never written; what is made is removed.
 */
export interface Attempt {
  readonly name: string;
  readonly script: string;
  /** All confined tiers unless named. */
  readonly tiers?: readonly ('skill' | 'agent' | 'untrusted')[];
  /** Who succeeds with it outside. */
  readonly as?: 'root' | 'user';
  /** A path that not every kernel has: without it there is nothing to attempt. */
  readonly needs?: string;
}

const NODE = (code: string): string => `"$NODE" -e '${code}'`;
const CONNECT = (target: string): string =>
  NODE(
    `require("net").connect(${target}).on("connect",()=>process.exit(0)).on("error",()=>process.exit(1)); setTimeout(()=>process.exit(2),3000)`,
  );
const NETLESS = ['agent', 'untrusted'] as const;

export const ATTEMPTS: readonly Attempt[] = [
  // The file system outside of the workspace.
  { name: 'make a file outside', script: 'echo x > $OUTSIDE/new && rm $OUTSIDE/new' },
  { name: 'append to a file outside', script: 'echo x >> $OUTSIDE/file' },
  { name: 'read a file outside', script: 'cat $OUTSIDE/file' },
  {
    name: 'rename a file outside',
    script: 'mv $OUTSIDE/file $OUTSIDE/moved && mv $OUTSIDE/moved $OUTSIDE/file',
  },
  { name: 'list a folder beside the workspace', script: 'ls $OUTSIDE | grep -q file' },
  { name: 'go up from the workspace', script: 'cat $WORKSPACE/../outside/file' },
  { name: 'read a file outside by a link in the workspace', script: 'cat $WORKSPACE/link' },
  {
    name: 'write a file outside by a link in the workspace',
    script: 'grep -q outside $WORKSPACE/link && echo x >> $WORKSPACE/link',
  },
  {
    name: 'make a hard link to a file outside',
    script: 'ln $OUTSIDE/file $WORKSPACE/hard && rm $WORKSPACE/hard',
  },
  { name: 'read a key in the home', script: 'cat $HOME/.ssh/id_ed25519' },
  {
    name: 'write the profile of the home',
    script: 'grep -q mine $HOME/.profile && echo x >> $HOME/.profile',
  },
  { name: 'read a file in /tmp of the host', script: 'cat $TEMPORARY' },
  { name: 'read a file in /dev/shm of the host', script: 'cat $SHARED' },
  { name: 'open a file of /etc for writing', script: ': >> /etc/hosts', as: 'root' },
  { name: 'open a file of /usr for writing', script: ': >> /usr/lib/os-release', as: 'root' },
  { name: 'write below /var', script: 'touch /var/lib/q-escape && rm /var/lib/q-escape', as: 'root' },
  { name: 'make a file at the top', script: 'touch /q-escape && rm /q-escape', as: 'root' },
  { name: 'read the password hashes', script: 'cat /etc/shadow', as: 'root' },
  {
    name: 'read a folder that only root may',
    script: 'ls -A /etc/ssl/private && test ! -w /etc/ssl/private/. -o -d /sys',
    as: 'root',
  },
  {
    name: 'read a private file of another user in the workspace',
    script: 'cat $WORKSPACE/private',
    as: 'root',
  },
  { name: 'give a file away', script: 'touch $WORKSPACE/gift && chown 12345 $WORKSPACE/gift', as: 'root' },
  // What is ours.
  { name: 'read the database', script: 'cat $STATE/q-workflow.db' },
  { name: 'write the database', script: 'echo x >> $STATE/q-workflow.db' },
  { name: 'list the instances', script: 'ls $STATE/instances | grep -q other' },
  { name: 'read the log of another instance', script: 'cat $STATE/instances/other/step-1-1.log' },
  { name: 'write the log of another instance', script: 'echo x >> $STATE/instances/other/step-1-1.log' },
  { name: 'read a secret', script: 'cat $STATE/secrets/TOKEN' },
  { name: 'put a policy into the state folder', script: 'echo x >> $STATE/policies/mine.json' },
  { name: 'write a policy of the package', script: 'echo x >> $POLICIES/default.json' },
  { name: 'read the seccomp program', script: 'cat $STATE/seccomp.bpf' },
  { name: 'connect to the control socket', script: CONNECT('process.env.STATE+"/control.sock"') },
  // Sockets and networks.
  { name: 'connect to an abstract socket of the host', script: CONNECT('"\\0"+process.env.ABSTRACT') },
  { name: 'connect to a socket in the workspace', script: CONNECT('process.env.WORKSPACE+"/dev.sock"') },
  {
    name: 'reach a port of the host',
    script: CONNECT('{port:+process.env.PORT,host:"127.0.0.1"}'),
    tiers: NETLESS,
  },
  {
    name: 'see the network cards of the host',
    script: 'test $(grep -c : /proc/net/dev) -gt 1',
    tiers: NETLESS,
  },
  // Other processes.
  { name: 'see the process of somebody else', script: 'grep -qs "$VICTIM_WORD" /proc/[0-9]*/comm' },
  { name: 'signal the process of somebody else', script: 'kill -0 $VICTIM' },
  {
    name: 'read the environment of somebody else',
    script: 'cat /proc/$VICTIM/environ | grep -q VICTIM_TOKEN',
  },
  { name: 'read the memory map of somebody else', script: 'cat /proc/$VICTIM/maps | grep -q .' },
  { name: 'open the memory of somebody else', script: ': >> /proc/$VICTIM/mem' },
  { name: 'get to the files of somebody else by its root', script: 'cat /proc/$VICTIM/root$OUTSIDE/file' },
  { name: 'get out by the working folder of somebody else', script: 'cat /proc/$VICTIM/cwd/file' },
  { name: 'read what another holds in shared memory', script: 'ipcs -m -i $SHM_ID | grep -q $SHM_ID' },
  { name: 'see a message queue of the host', script: 'ipcs -q -i $QUEUE_ID | grep -q $QUEUE_ID' },
  { name: 'see a semaphore of the host', script: 'ipcs -s -i $SEMAPHORE_ID | grep -q $SEMAPHORE_ID' },
  { name: 'read the limits of somebody else', script: 'prlimit --pid $VICTIM --nofile' },
  { name: 'change the priority of somebody else', script: 'renice -n 19 -p $VICTIM' },
  { name: 'move somebody else to another processor', script: 'taskset -p -c 0 $VICTIM' },
  { name: 'see what files somebody else has open', script: 'ls /proc/$VICTIM/fd | grep -q 0' },
  { name: 'spare somebody else from the memory killer', script: ': >> /proc/$VICTIM/oom_score_adj' },
  { name: 'signal who started the sandbox', script: 'kill -0 $SUPERVISOR', as: 'root' },
  { name: 'open the memory of who started the sandbox', script: ': >> /proc/$SUPERVISOR/mem', as: 'root' },
  {
    name: 'find the program of who started the sandbox by its root',
    script: 'ls /proc/$SUPERVISOR/root/ | grep -q .',
    as: 'root',
  },
  {
    name: 'swap a link of the workspace for a file outside, and write by it',
    script:
      'cd $WORKSPACE && ln -sfn $OUTSIDE/file swap && mv -T swap swapped && echo x >> swapped && grep -q outside swapped',
  },
  {
    name: 'write outside by a folder that is a link',
    script: 'ln -sfn $OUTSIDE $WORKSPACE/away && echo x > $WORKSPACE/away/new && rm $WORKSPACE/away/new',
  },
  {
    name: 'bring a file outside in by renaming it',
    script: 'mv $OUTSIDE/file $WORKSPACE/taken && mv $WORKSPACE/taken $OUTSIDE/file',
  },
  // The kernel.
  { name: 'open core_pattern for writing', script: ': >> /proc/sys/kernel/core_pattern', as: 'root' },
  {
    name: 'open any sysctl for writing',
    script: NODE(
      'const fs=require("fs"); for (const e of fs.readdirSync("/proc/sys",{recursive:true,withFileTypes:true})) if (e.isFile()) try { fs.closeSync(fs.openSync(e.parentPath+"/"+e.name,"a")); process.exit(0) } catch {} process.exit(1)',
    ),
    as: 'root',
  },
  {
    name: 'open the magic SysRq for writing',
    script: ': >> /proc/sysrq-trigger',
    as: 'root',
    needs: '/proc/sysrq-trigger',
  },
  {
    name: 'open the memory of the kernel',
    script: 'head -c 1 /proc/kcore',
    as: 'root',
    needs: '/proc/kcore',
  },
  {
    name: 'see the addresses of the kernel',
    script: 'head -c 1 /proc/kallsyms',
    as: 'root',
    needs: '/proc/kallsyms',
  },
  {
    name: 'open an interrupt for writing',
    script: ': >> /proc/irq/default_smp_affinity',
    as: 'root',
    needs: '/proc/irq/default_smp_affinity',
  },
  { name: 'read the log of the kernel', script: 'dmesg | head -n 1 | grep -q .', as: 'root' },
  { name: 'see the cgroups', script: 'ls /sys/fs/cgroup | grep -q .' },
  { name: 'see the devices of the kernel', script: 'ls /sys/class | grep -q .' },
  { name: 'open a device of the host', script: 'ls /dev | grep -Eq "^(kmsg|mem|vda|sda|nvme0n1)$"' },
  { name: 'make a device node', script: 'cd $WORKSPACE && mknod device c 1 3 && rm device', as: 'root' },
  { name: 'become root by a set-uid program', script: 'test "$($SETUID -u)" = 0', as: 'user' },
  {
    name: 'leave a set-uid program in the workspace',
    script: 'cd $WORKSPACE && cp /bin/true left && chmod 4755 left && test -u left && rm left',
  },
  {
    name: 'make a file that is set-uid from its beginning',
    script: `cd $WORKSPACE && "$NODE" -e 'process.umask(0); fs.closeSync(fs.openSync("born", "wx", 0o4755))' && test -u born && rm born`,
  },
  { name: 'take back a limit', script: 'ulimit -n 4096', as: 'root' },
  // Namespaces.
  { name: 'make a user namespace', script: 'unshare --user true' },
  { name: 'make a mount namespace', script: 'unshare --mount true', as: 'root' },
  { name: 'make a network namespace', script: 'unshare --net true', as: 'root' },
  { name: 'make a pid namespace', script: 'unshare --pid --fork true', as: 'root' },
  {
    name: 'enter the namespaces of somebody else',
    script: 'nsenter --target $VICTIM --uts true',
    as: 'root',
  },
  { name: 'change the root', script: 'chroot / /bin/true', as: 'root' },
  { name: 'turn off address randomisation', script: 'setarch --addr-no-randomize true' },
];

/**
 * System calls with arguments that do nothing: outside they answer something else than EPERM, inside nothing but it.
 * [x86_64, aarch64, arguments]
 */
export const CALLS: Readonly<
  Record<
    string,
    { readonly numbers: readonly [number, number]; readonly args: readonly number[]; readonly as?: 'root' }
  >
> = {
  mount: { numbers: [165, 40], args: [0, 0, 0, 0, 0], as: 'root' },
  umount2: { numbers: [166, 39], args: [0, 0], as: 'root' },
  move_mount: { numbers: [429, 429], args: [-1, 0, -1, 0, 0], as: 'root' },
  fsopen: { numbers: [430, 430], args: [0, 0], as: 'root' },
  open_tree: { numbers: [428, 428], args: [-1, 0, 0] },
  setns: { numbers: [308, 268], args: [-1, 0] },
  ptrace: { numbers: [101, 117], args: [16, -1, 0, 0] },
  process_vm_readv: { numbers: [310, 270], args: [-1, 0, 0, 0, 0, 0] },
  process_vm_writev: { numbers: [311, 271], args: [-1, 0, 0, 0, 0, 0] },
  kcmp: { numbers: [312, 272], args: [-1, -1, 0, 0, 0] },
  pidfd_getfd: { numbers: [438, 438], args: [-1, -1, 0] },
  bpf: { numbers: [321, 280], args: [0, 0, 0], as: 'root' },
  perf_event_open: { numbers: [298, 241], args: [0, 0, 0, 0, 0] },
  userfaultfd: { numbers: [323, 282], args: [-1] },
  add_key: { numbers: [248, 217], args: [0, 0, 0, 0, 0] },
  request_key: { numbers: [249, 218], args: [0, 0, 0, 0] },
  keyctl: { numbers: [250, 219], args: [-1, 0, 0, 0, 0] },
  kexec_load: { numbers: [246, 104], args: [0, 17, 0, 0], as: 'root' },
  init_module: { numbers: [175, 105], args: [0, 0, 0], as: 'root' },
  finit_module: { numbers: [313, 273], args: [-1, 0, 0], as: 'root' },
  name_to_handle_at: { numbers: [303, 264], args: [-1, 0, 0, 0, 0] },
  open_by_handle_at: { numbers: [304, 265], args: [-1, 0, 0], as: 'root' },
  swapon: { numbers: [167, 224], args: [0, 0], as: 'root' },
  reboot: { numbers: [169, 142], args: [0, 0, 0, 0], as: 'root' },
  clock_settime: { numbers: [227, 112], args: [99, 0] },
  sethostname: { numbers: [170, 161], args: [0, -1], as: 'root' },
  io_uring_setup: { numbers: [425, 425], args: [0, 0] },
  vsock: { numbers: [41, 198], args: [40, 99, 0] },
  packet: { numbers: [41, 198], args: [17, 99, 0] },
  unix: { numbers: [41, 198], args: [1, 99, 0] },
  TIOCSTI: { numbers: [16, 29], args: [-1, 0x5412, 0] },
  TIOCLINUX: { numbers: [16, 29], args: [-1, 0x541c, 0] },
  unshare: { numbers: [272, 97], args: [0] },
  chroot: { numbers: [161, 51], args: [0], as: 'root' },
  pivot_root: { numbers: [155, 41], args: [0, 0], as: 'root' },
  fsconfig: { numbers: [431, 431], args: [-1, 99, 0, 0, 0] },
  fsmount: { numbers: [432, 432], args: [-1, 0, 0], as: 'root' },
  fspick: { numbers: [433, 433], args: [-1, 0, 0], as: 'root' },
  mount_setattr: { numbers: [442, 442], args: [-1, 0, 0, 0, 0] },
  process_madvise: { numbers: [440, 440], args: [-1, 0, 0, 0, 0] },
  delete_module: { numbers: [176, 106], args: [0, 0], as: 'root' },
  kexec_file_load: { numbers: [320, 294], args: [-1, -1, 0, 0, 99], as: 'root' },
  quotactl: { numbers: [179, 60], args: [-1, 0, 0, 0] },
  quotactl_fd: { numbers: [443, 443], args: [-1, -1, 0, 0] },
  swapoff: { numbers: [168, 225], args: [0], as: 'root' },
  syslog: { numbers: [103, 116], args: [10, 0, 0], as: 'root' },
  settimeofday: { numbers: [164, 170], args: [0, 0] },
  adjtimex: { numbers: [159, 171], args: [0] },
  clock_adjtime: { numbers: [305, 266], args: [99, 0] },
  setdomainname: { numbers: [171, 162], args: [0, -1], as: 'root' },
  io_uring_enter: { numbers: [426, 426], args: [-1, 0, 0, 0, 0, 0] },
  io_uring_register: { numbers: [427, 427], args: [-1, 99, 0, 0] },
  personality: { numbers: [135, 92], args: [0x0040000] },
  'raw socket': { numbers: [41, 198], args: [2, 3, 1], as: 'root' },
  'raw socket of IPv6': { numbers: [41, 198], args: [10, 3, 58], as: 'root' },
  bluetooth: { numbers: [41, 198], args: [31, 99, 0] },
  crypto: { numbers: [41, 198], args: [38, 99, 0] },
};

/** Prints a line `name errno` for each call; 0 = it succeeded. */
export function callsScript(names: readonly string[]): string {
  const column = process.arch === 'arm64' ? 1 : 0;
  const rows = names.map((name) => [name, CALLS[name]?.numbers[column] ?? 0, ...(CALLS[name]?.args ?? [])]);
  return `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, *words in ${JSON.stringify(rows)}:
    ctypes.set_errno(0)
    result = libc.syscall(*[ctypes.c_long(word) for word in words])
    print(name, ctypes.get_errno() if result == -1 else 0)
`;
}
