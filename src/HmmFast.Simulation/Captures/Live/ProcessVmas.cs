namespace HmmFast.Simulation.Captures.Live;

/// <summary>Turns a process's mappings into VMAs and files of the vocabulary.</summary>
internal sealed class ProcessVmas
{
    private const ulong LimitByte = VpnRange.LimitVpn * PageOrder.PageSizeBytes;

    private readonly Dictionary<string, int> _fileByKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> _pagesByKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _usersByKey = new(StringComparer.Ordinal);
    private readonly CaptureBuilder _builder;

    private ProcessVmas(CaptureBuilder builder) => _builder = builder;

    /// <summary>The VMAs, in address order.</summary>
    public List<CapturedVma> Vmas { get; } = [];

    /// <summary>Mappings that no address of ours can hold.</summary>
    public int SkippedCount { get; private set; }

    /// <summary>Reads the mappings and adds their files to the builder.</summary>
    public static ProcessVmas From(IReadOnlyList<ProcMapping> mappings, CaptureBuilder builder)
    {
        ProcessVmas result = new(builder);
        foreach (ProcMapping mapping in mappings)
        {
            result.Measure(mapping);
        }

        foreach (ProcMapping mapping in mappings)
        {
            result.Add(mapping);
        }

        return result;
    }

    private static string KeyOf(ProcMapping mapping) =>
        mapping.Inode != 0 ? $"{mapping.Device} {mapping.Inode}" : mapping.Name;

    // A file is as long as its last mapped page says, so that all its users must be seen before it is made.
    private void Measure(ProcMapping mapping)
    {
        MappingKind kind = KindOf(mapping);
        if (mapping.End > LimitByte || !IsOfFile(kind))
        {
            return;
        }

        string key = KeyOf(mapping);
        ulong end = (mapping.Offset + (mapping.End - mapping.Start)) / PageOrder.PageSizeBytes;
        _pagesByKey[key] = Math.Max(end, _pagesByKey.GetValueOrDefault(key));
        _usersByKey[key] = _usersByKey.GetValueOrDefault(key) + 1;
    }

    private void Add(ProcMapping mapping)
    {
        if (mapping.End > LimitByte)
        {
            SkippedCount++;
            return;
        }

        MappingKind kind = KindOf(mapping);
        int file = -1;
        ulong pageOffset = 0;
        if (IsOfFile(kind))
        {
            string key = KeyOf(mapping);
            if (IsNamelessShared(mapping) && _usersByKey[key] == 1)
            {
                kind = MappingKind.SharedAnonymous;
            }
            else
            {
                pageOffset = mapping.Offset / PageOrder.PageSizeBytes;
                if (!_fileByKey.TryGetValue(key, out file))
                {
                    file = _builder.AddFile(new CapturedFile(FileKindOf(mapping.Name), mapping.Name, _pagesByKey[key]));
                    _fileByKey.Add(key, file);
                }
            }
        }

        VpnRange range = VpnRange.FromBounds(new Vpn(mapping.Start / PageOrder.PageSizeBytes), new Vpn(mapping.End / PageOrder.PageSizeBytes));
        Vmas.Add(new CapturedVma(range, ProtectionOf(mapping), kind, file, pageOffset, TraitsOf(mapping)));
    }

    private static bool IsOfFile(MappingKind kind) => kind is MappingKind.PrivateFile or MappingKind.SharedFile;

    private static bool IsNamelessShared(ProcMapping mapping) =>
        mapping.IsShared && mapping.Name.StartsWith("/dev/zero", StringComparison.Ordinal);

    private static Protection ProtectionOf(ProcMapping mapping) =>
        (mapping.Permissions[0] == 'r' ? Protection.Read : 0) | (mapping.Permissions[1] == 'w' ? Protection.Write : 0);

    private static VmaTraits TraitsOf(ProcMapping mapping) =>
        (mapping.HasFlag("hg") ? VmaTraits.HugePageAdvised : 0)
        | (mapping.HasFlag("nh") ? VmaTraits.NoHugePageAdvised : 0)
        | (mapping.HasFlag("ht") ? VmaTraits.HugeTlb : 0)
        | (mapping.Permissions[2] == 'x' ? VmaTraits.Executable : 0);

    private static MappingKind KindOf(ProcMapping mapping)
    {
        if (mapping.HasFlag("pf") || mapping.Name.StartsWith("[vvar", StringComparison.Ordinal))
        {
            return MappingKind.DriverPfn;
        }

        if (mapping.HasFlag("io"))
        {
            return MappingKind.DriverIo;
        }

        if (mapping.HasFlag("mm") && mapping.Name != "[vdso]")
        {
            return MappingKind.DriverMixed;
        }

        bool hasFile = mapping.Inode != 0 || mapping.Name.StartsWith('/') || mapping.Name == "[vdso]" || mapping.Name.StartsWith("anon_inode:", StringComparison.Ordinal);
        if (mapping.IsShared)
        {
            return hasFile ? MappingKind.SharedFile : MappingKind.SharedAnonymous;
        }

        return hasFile && !mapping.Name.StartsWith("/dev/zero", StringComparison.Ordinal) ? MappingKind.PrivateFile : MappingKind.PrivateAnonymous;
    }

    private static FileKind FileKindOf(string name) =>
        name.StartsWith("/memfd:", StringComparison.Ordinal)
        || name.StartsWith("/dev/shm/", StringComparison.Ordinal)
        || name.StartsWith("/dev/zero", StringComparison.Ordinal)
        || name.StartsWith("[anon_shmem:", StringComparison.Ordinal)
        || name.StartsWith("/SYSV", StringComparison.Ordinal)
            ? FileKind.Memfd
            : FileKind.Disk;
}
