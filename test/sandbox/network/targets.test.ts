import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressClass, canonicalAddress } from '../../../sandbox/network/address.ts';
import { hostText, normaliseHost } from '../../../sandbox/network/host.ts';
import {
  compileRules,
  judgeTarget,
  type NetworkRule,
  type NetworkRules,
  reachableAddresses,
} from '../../../sandbox/network/rules.ts';
import { hostField, parseAbsolute, parseAuthority, parseHostField } from '../../../sandbox/network/target.ts';

/** `name:port` for a name, `[address]:port` for an address, or null. */
function shown(target: ReturnType<typeof parseAuthority>): string | null {
  if (target === null) return null;
  const text = hostText(target.host);
  return `${target.host.kind === 'name' ? text : `[${text}]`}:${target.port}`;
}

describe('addresses', () => {
  const CLASSES: Readonly<Record<string, string>> = {
    '8.8.8.8': 'public',
    '1.1.1.1': 'public',
    '100.63.255.255': 'public',
    '100.128.0.0': 'public',
    '172.15.255.255': 'public',
    '172.32.0.0': 'public',
    '223.255.255.255': 'public',
    '0.0.0.0': 'unspecified',
    '0.1.2.3': 'unspecified',
    '10.0.0.1': 'private',
    '172.16.0.1': 'private',
    '172.31.255.255': 'private',
    '192.168.1.1': 'private',
    '100.64.0.1': 'shared',
    '100.100.100.200': 'shared',
    '127.0.0.1': 'loopback',
    '127.255.255.255': 'loopback',
    '169.254.169.254': 'metadata',
    '168.63.129.16': 'metadata',
    '169.254.170.2': 'link-local',
    '192.0.0.192': 'reserved',
    '192.0.2.1': 'documentation',
    '198.51.100.1': 'documentation',
    '203.0.113.1': 'documentation',
    '198.18.0.1': 'reserved',
    '198.19.255.255': 'reserved',
    '192.88.99.1': 'transition',
    '224.0.0.1': 'multicast',
    '239.255.255.250': 'multicast',
    '240.0.0.1': 'reserved',
    '255.255.255.255': 'reserved',
    '2606:4700:4700::1111': 'public',
    '2a00::1': 'public',
    '::': 'unspecified',
    '::1': 'loopback',
    '::7f00:1': 'transition',
    '64:ff9b::808:808': 'public',
    '64:ff9b::7f00:1': 'loopback',
    '64:ff9b::a9fe:a9fe': 'metadata',
    '64:ff9b:1::1': 'transition',
    '2001::1': 'transition',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2': 'transition',
    '2001:db8::1': 'documentation',
    '2002:7f00:1::': 'transition',
    '2002:808:808::': 'transition',
    '3fff::1': 'documentation',
    'fc00::1': 'private',
    'fd00::1': 'private',
    'fd00:ec2::254': 'metadata',
    'fe80::1': 'link-local',
    'fec0::1': 'private',
    'ff02::1': 'multicast',
    '100::1': 'reserved',
    '4000::1': 'reserved',
    '5f00::1': 'reserved',
  };

  test('each has its class', () => {
    for (const [address, wanted] of Object.entries(CLASSES))
      assert.equal(addressClass(address), wanted, address);
  });

  test('one has one form', () => {
    assert.equal(canonicalAddress('::ffff:127.0.0.1'), '127.0.0.1');
    assert.equal(canonicalAddress('::FFFF:7f00:1'), '127.0.0.1');
    assert.equal(canonicalAddress('0:0:0:0:0:ffff:a9fe:a9fe'), '169.254.169.254');
    assert.equal(canonicalAddress('2606:4700:0:0:0:0:0:1'), '2606:4700::1');
    assert.equal(canonicalAddress('64:FF9B::8.8.8.8'), '64:ff9b::808:808');
    for (const none of ['', '1.2.3', '01.2.3.4', '1.2.3.4.', 'fe80::1%lo', 'a', '[::1]'])
      assert.equal(canonicalAddress(none), null, none);
  });

  test('an embedded address is never freer than the address itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const own = addressClass(address);
        assert.equal(canonicalAddress(`::ffff:${address}`), address);
        assert.equal(addressClass(canonicalAddress(`64:ff9b::${address}`) ?? ''), own);
        assert.notEqual(addressClass(canonicalAddress(`::${address}`) ?? ''), 'public');
        const [a, b, c, d] = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
        assert.equal(addressClass(canonicalAddress(`2002:${a}${b}:${c}${d}::1`) ?? ''), 'transition');
      }),
    );
  });

  test('the canonical form is stable and of the same class', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const canonical = canonicalAddress(address);
        assert.ok(canonical !== null);
        assert.equal(canonicalAddress(canonical), canonical);
        if (canonical.includes(':')) assert.equal(addressClass(canonical), addressClass(address));
      }),
    );
  });
});

describe('hosts', () => {
  const HOSTS: readonly (readonly [string, string | null])[] = [
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM.', 'api.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['ａｐｉ.example', 'api.example'],
    ['_dmarc.example', '_dmarc.example'],
    ['localhost', 'localhost'],
    ['127.0.0.1', '[127.0.0.1]'],
    ['127.0.0.1.', '[127.0.0.1]'],
    ['127.1', '[127.0.0.1]'],
    ['2130706433', '[127.0.0.1]'],
    ['0x7f000001', '[127.0.0.1]'],
    ['0x7f.1', '[127.0.0.1]'],
    ['0177.0.0.01', '[127.0.0.1]'],
    ['１２７.0.0.1', '[127.0.0.1]'],
    ['[::1]', '[::1]'],
    ['[::ffff:169.254.169.254]', '[169.254.169.254]'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['', null],
    ['.', null],
    ['a..b', null],
    ['a.example..', null],
    ['.example', null],
    ['-a.example', null],
    ['a-.example', null],
    ['a b', null],
    ['a%2eb', null],
    ['%31%32%37.0.0.1', null],
    ['a@b', null],
    ['a/b', null],
    ['a\\b', null],
    ['a#b', null],
    ['a?b', null],
    ['a:1', null],
    ['a\0b', null],
    ['a\r\nb', null],
    ['*.example', null],
    ['::1', null],
    ['[::1', null],
    ['[fe80::1%25lo]', null],
    ['[v1.a]', null],
    ['1.2.3.4.5', null],
    ['256.1.1.1', null],
    ['a.0x1', null],
    [`${'a'.repeat(64)}.example`, null],
    [`${'a.'.repeat(127)}a`, null],
  ];

  test('each has one form, or none', () => {
    for (const [text, wanted] of HOSTS) {
      const host = normaliseHost(text);
      const form = host === null ? null : host.kind === 'name' ? host.name : `[${host.address}]`;
      assert.equal(form, wanted, JSON.stringify(text));
    }
  });

  test('the form is stable, and a name is never what a resolver takes for an address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.webAuthority()), (text) => {
        const host = normaliseHost(text);
        if (host?.kind !== 'name') return;
        assert.deepEqual(normaliseHost(host.name), host);
        assert.deepEqual(normaliseHost(`${host.name.toUpperCase()}.`), host);
        assert.match(host.name, /^[a-z0-9_.-]+$/);
        assert.equal(new URL(`http://${host.name}/`).hostname, host.name);
      }),
    );
  });
});

describe('targets', () => {
  test('CONNECT takes a host with a port and nothing else', () => {
    const cases: readonly (readonly [string, string | null])[] = [
      ['a.example:443', 'a.example:443'],
      ['A.example.:443', 'a.example:443'],
      ['[::1]:443', '[::1]:443'],
      ['0x7f.1:80', '[127.0.0.1]:80'],
      ['a.example', null],
      ['a.example:', null],
      ['a.example:0', null],
      ['a.example:065', null],
      ['a.example:65536', null],
      ['a.example:443/', null],
      ['a.example:443:443', null],
      ['u@a.example:443', null],
      ['http://a.example:443', null],
      ['::1:443', null],
      [':443', null],
      ['a.example:４４３', null],
    ];
    for (const [text, wanted] of cases) assert.equal(shown(parseAuthority(text)), wanted, text);
  });

  test('other requests take an absolute http URL, whose path stays as it is', () => {
    const cases: readonly (readonly [string, string | null])[] = [
      ['http://a.example', 'a.example:80 /'],
      ['HTTP://A.example./x', 'a.example:80 /x'],
      ['http://a.example:8080/x/../%2e?q=@b', 'a.example:8080 /x/../%2e?q=@b'],
      ['http://a.example?q', 'a.example:80 /?q'],
      ['http://[::1]:81/', '[::1]:81 /'],
      ['http://2130706433/', '[127.0.0.1]:80 /'],
      ['https://a.example/', null],
      ['ftp://a.example/', null],
      ['//a.example/', null],
      ['/x', null],
      ['*', null],
      ['', null],
      ['http:a.example/', null],
      ['http:///x', null],
      ['http://u@a.example/', null],
      ['http://u:p@a.example/', null],
      ['http://a.example\\@b.example/', null],
      ['http://a.example#@b.example/', null],
      ['http://a.example/#x', null],
      ['http://a.example:0/', null],
      ['http://a.example:99999/', null],
      ['http://a.example%2f@b.example/', null],
      ['http://a.exam\tple/', null],
      ['http://a.example/\u00e9', null],
    ];
    for (const [text, wanted] of cases) {
      const target = parseAbsolute(text);
      assert.equal(target === null ? null : `${shown(target)} ${target.path}`, wanted, text);
    }
  });

  test('a Host header says a host, and perhaps a port', () => {
    const cases: readonly (readonly [string, string | null])[] = [
      ['a.example', 'a.example:80'],
      ['a.example:80', 'a.example:80'],
      ['a.example:81', 'a.example:81'],
      ['[::1]', '[::1]:80'],
      ['[::1]:81', '[::1]:81'],
      ['a.example, b.example', null],
      ['a.example:x', null],
      ['', null],
    ];
    for (const [text, wanted] of cases) {
      const target = parseHostField(text);
      assert.equal(shown(target), wanted, text);
      if (target !== null) assert.deepEqual(parseHostField(hostField(target)), target);
    }
  });
});

describe('rules', () => {
  const rules = compileRules({
    rules: [
      { host: 'Api.Example.com.', ports: [443, 8443] },
      { host: '*.bücher.example', ports: [443] },
      { host: '127.0.0.1', ports: [8080] },
      { host: 'fd00::1', ports: [443] },
      { host: 'any.example', ports: 'any' },
    ],
  });
  const judge = (authority: string): string => {
    const target = parseAuthority(authority);
    assert.ok(target !== null, authority);
    const verdict = judgeTarget(rules, target);
    return verdict.isListed ? verdict.rule.host : verdict.reason;
  };

  test('only what is listed may be reached, with its port', () => {
    const cases: Readonly<Record<string, string>> = {
      'api.example.com:443': 'Api.Example.com.',
      'API.EXAMPLE.COM.:8443': 'Api.Example.com.',
      'api.example.com:80': 'port_not_listed',
      'example.com:443': 'host_not_listed',
      'x.api.example.com:443': 'host_not_listed',
      'api.example.com.evil.example:443': 'host_not_listed',
      'evil-api.example.com:443': 'host_not_listed',
      'a.xn--bcher-kva.example:443': '*.bücher.example',
      'a.b.xn--bcher-kva.example:443': '*.bücher.example',
      'xn--bcher-kva.example:443': 'host_not_listed',
      'evilxn--bcher-kva.example:443': 'host_not_listed',
      'a.xn--bcher-kva.example:444': 'port_not_listed',
      '127.0.0.1:8080': '127.0.0.1',
      '0x7f.1:8080': '127.0.0.1',
      '[::ffff:127.0.0.1]:8080': '127.0.0.1',
      '127.0.0.1:443': 'port_not_listed',
      '127.0.0.2:8080': 'host_not_listed',
      'localhost:8080': 'host_not_listed',
      '[FD00:0::1]:443': 'fd00::1',
      '8.8.8.8:443': 'host_not_listed',
      'any.example:1': 'any.example',
      'any.example:65535': 'any.example',
    };
    for (const [authority, wanted] of Object.entries(cases))
      assert.equal(judge(authority), wanted, authority);
    const nothing = judgeTarget(compileRules({ rules: [] }), named('a.example', 443));
    assert.deepEqual(nothing, { isListed: false, reason: 'host_not_listed', rule: null });
  });

  test('of the addresses of a name only public ones count, and those that are listed with the port', () => {
    const resolved = [
      '10.0.0.1',
      '8.8.8.8',
      '::ffff:8.8.8.8',
      '127.0.0.1',
      '9.9.9.9',
      '::1',
      'rubbish',
      '169.254.169.254',
    ];
    const isOwn = (address: string): boolean => address === '9.9.9.9';
    const of = (port: number): string[] =>
      reachableAddresses(rules, named('any.example', port), resolved, isOwn);
    assert.deepEqual(of(443), ['8.8.8.8']);
    assert.deepEqual(of(8080), ['8.8.8.8', '127.0.0.1']);
  });

  test('nothing but a public address gets through without being listed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.ipV4(), fc.ipV6())),
        fc.integer({ min: 1, max: 65535 }),
        (resolved, port) => {
          const every = compileRules({ rules: [{ host: '*', ports: 'any' }] });
          for (const address of reachableAddresses(every, named('a.example', port), resolved, () => false))
            assert.equal(addressClass(address), 'public');
        },
      ),
    );
  });

  test('a wildcard holds for every name below it and for no other', () => {
    fc.assert(
      fc.property(fc.domain(), fc.domain(), (below, other) => {
        const wild = compileRules({ rules: [{ host: `*.${other}`, ports: [443] }] });
        const isListed = (text: string): boolean => {
          const host = normaliseHost(text);
          return host !== null && judgeTarget(wild, { host, port: 443 }).isListed;
        };
        if (below.length + other.length < 250) assert.equal(isListed(`${below}.${other}`), true);
        assert.equal(isListed(other), false);
        assert.equal(isListed(`x${other}`), false);
        assert.equal(isListed(`${other}.${below}`), below.endsWith(`.${other}`));
      }),
    );
  });

  test('a rule that means nothing, or too much, is refused', () => {
    const cases: readonly (readonly [string, number[], string])[] = [
      ['a.example', [], 'lists no port'],
      ['a.example', [0], 'has a port that is none: 0'],
      ['a.example', [443, 65536], 'has a port that is none: 443, 65536'],
      ['a.example', [1.5], 'has a port that is none: 1.5'],
      ['', [443], 'has no host'],
      ['*.*.example', [443], 'is too wide: a wildcard needs two labels after it'],
      ['*example.com', [443], 'is too wide: a wildcard needs two labels after it'],
      ['api.*', [443], 'is too wide: a wildcard needs two labels after it'],
      ['a.example:443', [443], 'has no host'],
      ['https://a.example', [443], 'has no host'],
      ['10.0.0.0/8', [443], 'has no host'],
      ['*.com', [443], 'is too wide: a wildcard needs two labels after it'],
      ['*.0.0.1', [443], 'has no host'],
    ];
    for (const [host, ports, why] of cases)
      assert.throws(() => compileRules({ rules: [{ host, ports }] }), {
        name: 'RangeError',
        message: `the network rule for "${host}" ${why}`,
      });
  });

  const reach = (given: NetworkRules, authority: string, ...resolved: string[]): string => {
    const target = parseAuthority(authority);
    assert.ok(target !== null, authority);
    const compiled = compileRules(given);
    const verdict = judgeTarget(compiled, target);
    if (!verdict.isListed) return verdict.reason;
    const addresses = target.host.kind === 'address' ? [target.host.address] : resolved;
    return reachableAddresses(compiled, target, addresses, (address) => address === '192.168.1.9').join();
  };

  test('classes that a rule names are reached by its names, and no others', () => {
    const rules: NetworkRule[] = [
      { host: 'db.example', ports: 'any', classes: ['private'] },
      { host: 'here.example', ports: 'any', classes: ['loopback'] },
      { host: 'cloud.example', ports: 'any', classes: ['metadata', 'link-local', 'public'] },
    ];
    const all = [
      '8.8.8.8',
      '10.0.0.5',
      '192.168.1.9',
      '127.0.0.1',
      '169.254.169.254',
      '169.254.1.1',
      'fe80::1',
    ];
    assert.equal(reach({ rules }, 'db.example:1', ...all), '10.0.0.5');
    // This machine's own address is what its loopback is.
    assert.equal(reach({ rules }, 'here.example:1', ...all), '192.168.1.9,127.0.0.1');
    assert.equal(reach({ rules }, 'cloud.example:1', ...all), '8.8.8.8');
  });

  test('a metadata or link-local address is reached as that address at most, never by a name', () => {
    const rules: NetworkRule[] = [
      { host: 'a.example', ports: 'any' },
      { host: '169.254.169.254', ports: [80] },
      { host: '*', ports: 'any', classes: ['link-local'] },
    ];
    assert.equal(reach({ rules }, 'a.example:80', '169.254.169.254', '::ffff:169.254.169.254'), '');
    assert.equal(reach({ rules }, 'a.example:80', '169.254.7.7', 'fe80::1', 'fd00:ec2::254'), '');
    assert.equal(reach({ rules }, '0xa9fea9fe:80'), '169.254.169.254');
    assert.equal(reach({ rules }, '169.254.7.7:80'), '169.254.7.7');
    assert.equal(reach({ rules }, '[fd00:ec2::254]:80'), '');
  });

  test('a star means names, and addresses only of the classes that it names', () => {
    const names: NetworkRules = { rules: [{ host: '*', ports: [443] }] };
    assert.equal(reach(names, 'a.example:443', '8.8.8.8', '10.0.0.1'), '8.8.8.8');
    assert.equal(reach(names, '8.8.8.8:443'), 'host_not_listed');
    const addresses: NetworkRules = { rules: [{ host: '*', ports: [443], classes: ['public'] }] };
    assert.equal(reach(addresses, '8.8.8.8:443'), '8.8.8.8');
    for (const address of [
      '127.0.0.1',
      '10.0.0.1',
      '192.168.1.9',
      '[::1]',
      '[::ffff:10.0.0.1]',
      '[64:ff9b::a00:1]',
    ])
      assert.equal(reach(addresses, `${address}:443`), '', address);
  });

  test('what every list has is reached, and nothing that a refusal speaks of', () => {
    const given: NetworkRules = {
      rules: [{ host: '*.example.com', ports: 'any' }],
      narrow: [[{ host: 'api.example.com', ports: [443] }], [{ host: '*', ports: [443, 80] }]],
      refuse: [
        { host: 'old.*', ports: 'any' },
        { host: '*', ports: 'any', classes: ['private'] },
        { host: '9.9.9.9', ports: [443] },
      ],
    };
    assert.equal(reach(given, 'api.example.com:443', '8.8.8.8', '9.9.9.9'), '8.8.8.8');
    assert.equal(reach(given, 'api.example.com:80'), 'port_not_listed');
    assert.equal(reach(given, 'www.example.com:443'), 'host_not_listed');
    const wider = { ...given, narrow: [], rules: [...given.rules, { host: '10.1.1.1', ports: [443] }] };
    assert.equal(reach(wider, 'old.example.com:443'), 'host_refused');
    assert.equal(reach(wider, 'OLD.Example.COM.:443'), 'host_refused');
    assert.equal(reach(wider, 'www.example.com:443', '8.8.8.8'), '8.8.8.8');
    // Listed by its very address, and refused by its class.
    assert.equal(reach(wider, '10.1.1.1:443'), '');
    const closed: NetworkRules = { ...given, narrow: [[]] };
    assert.equal(reach(closed, 'api.example.com:443', '8.8.8.8'), 'host_not_listed');
    const shut: NetworkRules = { ...wider, refuse: [{ host: '*', ports: 'any' }] };
    for (const host of ['api.example.com', '10.1.1.1'])
      assert.equal(reach(shut, `${host}:443`, '8.8.8.8'), 'host_refused', host);
  });

  test('a name cannot be refused away by how it is written', () => {
    const given: NetworkRules = {
      rules: [{ host: '*', ports: 'any', classes: ['public', 'private', 'loopback'] }],
      refuse: [
        { host: '10.0.0.5', ports: 'any' },
        { host: 'evil.example', ports: 'any' },
      ],
    };
    for (const text of [
      '10.0.0.5',
      '10.5',
      '167772165',
      '0xa000005',
      '012.0.0.5',
      '[::ffff:10.0.0.5]',
      '[::ffff:a00:5]',
    ])
      assert.equal(reach(given, `${text}:80`), 'host_refused', text);
    for (const text of ['evil.example', 'EVIL.example', 'evil.example.', 'ｅvil.example', 'evil。example'])
      assert.equal(reach(given, `${text}:80`, '8.8.8.8'), 'host_refused', text);
    // A name that leads to a refused address.
    assert.equal(reach(given, 'good.example:80', '10.0.0.5'), '');
  });
});

const named = (name: string, port: number) => ({ host: { kind: 'name', name }, port }) as const;
