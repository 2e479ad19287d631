using System.Globalization;
using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.LiveKernel;

/// <summary>One random sequence, done by the running kernel and by the models, compared after every step.</summary>
internal sealed class LiveSequence : IDisposable
{
    private static readonly MappingKind[] Kinds =
        [MappingKind.PrivateAnonymous, MappingKind.PrivateAnonymous, MappingKind.PrivateAnonymous, MappingKind.SharedAnonymous, MappingKind.PrivateFile, MappingKind.SharedFile];

    private static readonly Protection[] Protections = [Protection.ReadWrite, Protection.ReadWrite, Protection.Read, Protection.None];

    private readonly Random _random;
    private readonly bool _isHuge;
    private readonly bool _withFrames;
    private readonly int _filePageCount;
    private readonly LiveProcess _process;
    private readonly LiveModel[] _models;
    private readonly List<string> _done = [];
    private readonly int _seed;
    private bool _wasFreed;
    private bool _isOver;

    internal LiveSequence(int seed, bool isHuge, bool withFrames)
    {
        _seed = seed;
        _random = new Random(seed);
        _isHuge = isHuge;
        _withFrames = withFrames;
        int pageCount = isHuge ? 1056 : 16 + _random.Next(48);
        int pmdOffset = isHuge ? 496 : _random.Next(2) == 0 ? 0 : 512 - (pageCount / 2);
        _filePageCount = isHuge ? 192 : (pageCount * 3 / 4);
        _process = new LiveProcess(pageCount, pmdOffset, _filePageCount);
        _models = [.. ConformanceEngine.Both.Select(engine => new LiveModel(engine, pageCount, pmdOffset, _filePageCount))];
    }

    private int PageCount => _process.PageCount;

    public void Dispose()
    {
        _process.Dispose();
        foreach (LiveModel model in _models)
        {
            model.Dispose();
        }
    }

    /// <summary>Steps done and compared.</summary>
    internal int ComparedStepCount => _done.Count;

    /// <summary>Runs the sequence; the text of the first difference, or null.</summary>
    internal string? Run(int stepCount)
    {
        if (_isHuge)
        {
            // As the recordings' huge sequences: one mapping with two whole blocks, one or both advised huge.
            string? first = Map(0, PageCount, Protection.ReadWrite, MappingKind.PrivateAnonymous, 0) ?? Advise(16, _random.Next(2) == 0 ? 512 : 1024, Advice.HugePage);
            if (first is not null)
            {
                return first;
            }
        }
        else if (Map(0, PageCount, Protection.ReadWrite, MappingKind.PrivateAnonymous, 0) is { } difference)
        {
            return difference;
        }

        for (int step = 0; step < stepCount && !_isOver; step++)
        {
            if (Step() is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private string? Step()
    {
        (int page, int count) = PickRange();
        switch (_random.Next(20))
        {
            case 0:
                MappingKind kind = Kinds[_random.Next(Kinds.Length)];
                bool isFile = kind is MappingKind.PrivateFile or MappingKind.SharedFile;
                return Map(page, count, Protections[_random.Next(Protections.Length)], kind, isFile ? (ulong)_random.Next(_filePageCount) : 0);
            case 1:
                return Compare($"munmap {page}+{count}", _process.UnmapAt(page, count), model => model.Parent.Unmap(model.Range(page, count)));
            case 2 or 3:
                Protection protection = Protections[_random.Next(Protections.Length)];
                return Compare(
                    $"mprotect {page}+{count} {protection}",
                    _process.ProtectAt(page, count, protection),
                    model => model.Parent.Protect(model.Range(page, count), protection));
            case 4:
                return Advise(page, count, Advice.DontNeed);
            case 5:
                return _random.Next(3) == 0 ? Advise(page, count, Advice.Free) : Access(page, count, isWrite: true);
            case 6:
                return Remap(page, count);
            case 7:
                return _isHuge ? AdviseHuge() : Access(page, count, isWrite: false);
            case 8 or 9:
                return ForkOrExit();
            case 10 or 11 or 12:
                return Access(page, count, isWrite: false);
            case 13 or 14:
                return AccessChild(page, count, _random.Next(3) != 0);
            default:
                return Access(page, count, isWrite: true);
        }
    }

    private (int Page, int Count) PickRange()
    {
        int page = _random.Next(PageCount);
        int most = _random.Next(4) == 0 ? PageCount - page : Math.Min(PageCount - page, _isHuge ? 80 : 8);
        if (_isHuge && _random.Next(4) == 0)
        {
            return (16 + (512 * _random.Next(2)), 512);
        }

        return (page, 1 + _random.Next(most));
    }

    private string? Map(int page, int count, Protection protection, MappingKind kind, ulong pageOffset) => Compare(
        $"mmap {page}+{count} {protection} {kind} +{pageOffset}",
        _process.MapFixedAt(page, count, protection, kind, pageOffset),
        model => model.Map(page, count, protection, kind, pageOffset));

    private string? Advise(int page, int count, Advice advice)
    {
        // From 6.14 on, giving up a whole block also frees its page table, so that the next write may bring a huge page; 6.12 keeps the table. Where no
        // table is in the way the two agree. Collapsing memory that a child shares is refused in some states by 6.12 only.
        if ((advice == Advice.DontNeed && count >= PageOrder.PagesPerBlock && !IsHugeMapped(page, count)) || (advice == Advice.Collapse && _process.Child != 0))
        {
            return null;
        }

        _wasFreed |= advice == Advice.Free;
        return Compare($"madvise {page}+{count} {advice}", _process.AdviseAt(page, count, advice), model => model.Parent.Advise(model.Range(page, count), advice));
    }

    private bool IsHugeMapped(int page, int count)
    {
        PageObservation[] pages = new PageObservation[count];
        _models[0].Parent.Observe(_models[0].Range(page, count), pages);
        return Array.TrueForAll(pages, static one => one.IsHugeMapped);
    }

    private string? AdviseHuge()
    {
        int page = 16 + (512 * _random.Next(2));
        return Advise(page, 512, _random.Next(4) switch
        {
            0 => Advice.NoHugePage,
            1 => Advice.Collapse,
            _ => Advice.HugePage,
        });
    }

    private string? Remap(int page, int count)
    {
        bool isBlock = _isHuge && _random.Next(2) == 0;
        int from = isBlock ? 16 : page;
        int length = isBlock ? 512 : Math.Min(count, PageCount / 2);
        int to = isBlock ? 528 : _random.Next(PageCount - length + 1);

        // A range over several VMAs: 6.12 refuses it with EFAULT, kernels from 6.17 on move it piece by piece. A range that overlaps its
        // target is refused before anything; the interface leaves that to the caller.
        bool isOneVma = _models[0].Vmas().Exists(vma => from >= vma.Page && from + length <= vma.Page + vma.Count);
        if (!isOneVma || Math.Abs(from - to) < length)
        {
            return null;
        }

        return Compare(
            $"mremap {from}+{length} to {to}",
            _process.RemapAt(from, length, to),
            model => model.Parent.Remap(model.Range(from, length), model.Range(to, length).Start));
    }

    private string? ForkOrExit()
    {
        if (_process.Child != 0)
        {
            _process.ExitChild();
            return Compare("child exit", 0, static model =>
            {
                model.Child!.Dispose();
                model.Child = null;
                return HmmStatus.Ok;
            });
        }

        _process.Fork();
        return Compare("fork", 0, static model =>
        {
            model.Child = model.Parent.Fork();
            return HmmStatus.Ok;
        });
    }

    private string? Access(int page, int count, bool isWrite)
    {
        ulong tag = ((ulong)_done.Count << 16) | (uint)(page + 1);
        ulong[] seen = new ulong[count];
        bool[] allowed = Allowed(_models[0].Parent, page, count, isWrite);
        for (int i = 0; i < count; i++)
        {
            if (!allowed[i])
            {
                continue;
            }

            if (isWrite)
            {
                _process.WriteAt(page + i, tag + (ulong)i);
            }
            else
            {
                seen[i] = _process.ReadAt(page + i);
            }
        }

        return CompareAccess($"cpu {(isWrite ? "write" : "read")} {page}+{count}", static model => model.Parent, page, allowed, isWrite, tag, seen);
    }

    private string? AccessChild(int page, int count, bool isWrite)
    {
        if (_process.Child == 0)
        {
            return null;
        }

        ulong tag = ((ulong)_done.Count << 16) | (uint)(page + 1);
        ulong[] seen = new ulong[count];
        bool[] allowed = Allowed(_models[0].Child!, page, count, isWrite);
        for (int i = 0; i < count; i++)
        {
            if (!allowed[i])
            {
                continue;
            }

            if (isWrite)
            {
                _process.WriteChildAt(page + i, tag + (ulong)i);
            }
            else
            {
                seen[i] = _process.ReadChildAt(page + i);
            }
        }

        return CompareAccess($"child {(isWrite ? "write" : "read")} {page}+{count}", static model => model.Child!, page, allowed, isWrite, tag, seen);
    }

    /// <summary>Pages that can be touched without a signal and on which kernels agree; the others are left out on both sides.</summary>
    private bool[] Allowed(IAddressSpace space, int page, int count, bool isWrite)
    {
        bool[] allowed = new bool[count];
        Protection needed = isWrite ? Protection.ReadWrite : Protection.Read;
        VpnRange range = _models[0].Range(page, count);
        foreach (VmaInfo vma in space.Vmas)
        {
            VpnRange part = vma.Range.Intersect(range);
            PageObservation[] before = new PageObservation[part.PageCount];
            space.Observe(part, before);
            bool isFile = vma.Kind is MappingKind.PrivateFile or MappingKind.SharedFile;
            for (ulong i = 0; i < part.PageCount; i++)
            {
                ulong filePage = vma.PageOffset + (part.Start + i - vma.Range.Start);

                // A write to the huge zero page splits it on 6.12 and brings a huge page on later kernels: left out.
                bool isDisputed = isWrite && before[i].IsZeroPage && before[i].IsHugeMapped;
                allowed[(int)(part.Start + i - range.Start)] = (vma.Protection & needed) == needed && (!isFile || filePage < (ulong)_filePageCount) && !isDisputed;
            }
        }

        return allowed;
    }

    private string? CompareAccess(
        string name,
        Func<LiveModel, IAddressSpace> space,
        int page,
        bool[] allowed,
        bool isWrite,
        ulong tag,
        ulong[] seen)
    {
        foreach (LiveModel model in _models)
        {
            for (int i = 0; i < allowed.Length; i++)
            {
                if (!allowed[i])
                {
                    continue;
                }

                VpnRange one = model.Range(page + i, 1);
                if (isWrite)
                {
                    space(model).CpuWrite(one, tag + (ulong)i, 1, []);
                    continue;
                }

                ulong[] tags = new ulong[1];
                space(model).CpuRead(one, tags, []);

                // The kernel may drop MADV_FREEd pages at any time; then content says nothing.
                if (tags[0] != seen[i] && !_wasFreed)
                {
                    return Tell(name, model, $"page {page + i} holds 0x{seen[i]:x}, the model says 0x{tags[0]:x}");
                }
            }
        }

        return Compare(name, 0, static _ => HmmStatus.Ok);
    }

    private string? Compare(string name, int errno, Func<LiveModel, HmmStatus> act)
    {
        LivePage[] expected = _process.Observe(_withFrames);
        List<(int Page, int Count, string Permissions)> cuts = _process.Vmas();
        List<(int Page, int Count, string Permissions)> vmas = Joined(cuts);
        foreach (LiveModel model in _models)
        {
            HmmStatus status = act(model);
            if ((int)status != errno)
            {
                return Tell(name, model, $"errno {errno}, the model says {(int)status}");
            }

            List<(int Page, int Count, string Permissions)> modelCuts = model.Vmas();
            List<(int Page, int Count, string Permissions)> modelVmas = Joined(modelCuts);
            _isOver |= !cuts.SequenceEqual(modelCuts);
            if (!modelVmas.SequenceEqual(vmas))
            {
                return Tell(name, model, $"mappings {string.Join(' ', vmas)}, the model says {string.Join(' ', modelVmas)}");
            }

            LivePage[] got = model.Observe(_withFrames);
            for (int i = 0; i < expected.Length; i++)
            {
                if (expected[i] != got[i])
                {
                    string who = i < PageCount ? "parent" : "child";
                    return Tell(name, model, $"{who} page {i % PageCount} is {expected[i]}, the model says {got[i]}");
                }
            }
        }

        _done.Add(name);
        return null;
    }

    /// <summary>
    /// Neighbours with equal permissions as one: from 6.16 on anonymous VMAs merge where 6.12 (the model) keeps them apart. What a fork copies hangs on the
    /// cuts, so a sequence ends where they part; the permissions must be equal all the same.
    /// </summary>
    private static List<(int Page, int Count, string Permissions)> Joined(List<(int Page, int Count, string Permissions)> vmas)
    {
        List<(int Page, int Count, string Permissions)> joined = [];
        foreach ((int page, int count, string permissions) in vmas)
        {
            if (joined.Count > 0 && joined[^1].Page + joined[^1].Count == page && joined[^1].Permissions == permissions)
            {
                joined[^1] = (joined[^1].Page, joined[^1].Count + count, permissions);
            }
            else
            {
                joined.Add((page, count, permissions));
            }
        }

        return joined;
    }

    private string Tell(string name, LiveModel model, string difference) => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {_seed}{(_isHuge ? " (huge)" : "")} step {_done.Count} {name}: {difference} ({model.Name}); before: {string.Join("; ", _done)}");
}
