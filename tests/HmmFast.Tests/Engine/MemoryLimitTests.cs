using System.Globalization;
using System.Text.RegularExpressions;
using HmmFast.Memory;

namespace HmmFast.Tests.Engine;

/// <summary>Native memory that runs out at each reservation that an engine makes: the call says value and bound, changes nothing, and leaks nothing.</summary>
public sealed partial class MemoryLimitTests
{
    private static readonly VpnRange Window = new(new Vpn(PageOrder.PagesPerGibibyte), 8192);
    private static readonly VpnRange Pages = new(Window.Start, 16);
    private static readonly MemorySystemOptions Options = new() { SystemFrameCount = 4096, SwapSlotCount = 64, Window = Window, TrackContent = true };

    [Fact]
    public void MemorySystem_EveryReservationRefused_ThrowsAndFreesWhatItHad()
    {
        List<string> refused = RefuseEach(ledger => new MemorySystem(Options, null, ledger).Dispose());

        // Six columns of frames, two of which slots are taken, two of slots.
        Assert.Equal(10, refused.Count);
        Assert.Contains("swap slot content", refused);
        Assert.Contains("frame content", refused);
    }

    [Fact]
    public void Calls_EveryReservationRefused_ThrowAndChangeNothing()
    {
        List<string> refused = RefuseEach(ledger =>
        {
            using MemorySystem memory = new(Options, null, ledger);
            Unchanged(memory, () => memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = 512, Owner = new OwnerId(1) }));
            Unchanged(memory, () => memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = 16, InitialTag = static page => page + 1 }));
            Unchanged(memory, () => memory.CreateAddressSpace());
            IAddressSpace space = memory.AddressSpaces[0];
            Assert.Equal(HmmStatus.Ok, space.Map(Pages, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0));
            Assert.Equal(CpuAccessResult.Ok, space.CpuWrite(Pages, 7, 1, default));

            // A mapping over an older one: the old one stays when the new one finds no memory.
            Unchanged(memory, () => space.Map(new VpnRange(Pages.Start + 8, 8), Protection.ReadWrite, MappingKind.SharedAnonymous, FileId.None, 0));
            Unchanged(memory, () => space.Fork());
            Assert.Equal(2, memory.AddressSpaces.Count);
            ulong[] tags = new ulong[8];
            Assert.Equal(CpuAccessResult.Ok, memory.AddressSpaces[1].CpuRead(new VpnRange(Pages.Start, 8), tags, default));
            Assert.Equal([7, 8, 9, 10, 11, 12, 13, 14], tags);
        });

        foreach (string column in (string[])["page cache", "page class", "page pfn", "block descriptor", "gibibyte note", "top table note"])
        {
            Assert.Contains(column, refused);
        }

        // Both address spaces' columns, and the caches of the file and of the shared mapping.
        Assert.Equal(2, refused.Count(column => column == "page pfn"));
        Assert.Equal(2, refused.Count(column => column == "page cache"));
    }

    [Fact]
    public void CreateFile_ContentThatThrows_GivesFramesAndMemoryBack()
    {
        NativeMemoryLedger ledger = new();
        using (MemorySystem memory = new(Options, null, ledger))
        {
            long before = ledger.ReservedBytes;
            ulong free = memory.FreeSystemFrameCount;
            Assert.Throws<FormatException>(() => memory.CreateFile(
                new FileOptions { Kind = FileKind.Memfd, PageCount = 5, InitialTag = static page => page < 3 ? 1UL : throw new FormatException() }));
            Assert.Equal((before, free), (ledger.ReservedBytes, memory.FreeSystemFrameCount));
        }

        ledger.ThrowIfUnbalanced();
    }

    [Fact]
    public void Ledger_NegativeLimit_IsRefused()
    {
        ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => new NativeMemoryLedger(-5));
        Assert.Contains("-5", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(long.MaxValue, new NativeMemoryLedger().LimitBytes);
    }

    /// <summary>Repeats something with a limit that refuses its first reservation, then its second, and so on; the names of the columns refused.</summary>
    private static List<string> RefuseEach(Action<NativeMemoryLedger> build)
    {
        List<string> refused = [];
        for (long limit = 0; ;)
        {
            NativeMemoryLedger ledger = new(limit);
            try
            {
                build(ledger);
                ledger.ThrowIfUnbalanced();
                Assert.Equal(refused.Count, ledger.TotalRanges);
                return refused;
            }
            catch (InsufficientMemoryException full)
            {
                Match said = Refusal().Match(full.Message);
                Assert.True(said.Success && Number(said, "limit") == limit, full.Message);
                refused.Add(said.Groups["column"].Value);
                limit = Number(said, "reserved") + Number(said, "size");

                // What nobody disposed would show as a leak once its finalizer has run.
                GC.Collect();
                GC.WaitForPendingFinalizers();
                ledger.ThrowIfUnbalanced();
            }
        }
    }

    private static void Unchanged(MemorySystem memory, Action call)
    {
        (int, ulong, int, ulong, string) before = State(memory);
        try
        {
            call();
        }
        catch (InsufficientMemoryException)
        {
            Assert.Equal(before, State(memory));
            throw;
        }
    }

    private static (int Devices, ulong FreeFrames, int Spaces, ulong Invalidations, string Vmas) State(MemorySystem memory) =>
        (memory.DeviceCount, memory.FreeSystemFrameCount, memory.AddressSpaces.Count, memory.Counters.Invalidations,
            string.Join(';', memory.AddressSpaces.SelectMany(space => space.Vmas)));

    private static long Number(Match match, string group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^Column '(?<column>.+)': (?<size>\d+) bytes of address space are over the limit of (?<limit>\d+); (?<reserved>\d+) are reserved\.$")]
    private static partial Regex Refusal();
}
