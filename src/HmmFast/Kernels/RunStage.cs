namespace HmmFast.Kernels;

/// <summary>
/// Runs on their way to the caller: code, frame number and index of each run's first page, in three arrays on the stack that stay in the first-level cache.
/// Runs are found block by block, each block adding any number of them; their words are made 64 at a time, with whole vectors, whatever the blocks held.
/// </summary>
internal unsafe struct RunStage
{
    /// <summary>Runs after which the stage is emptied.</summary>
    public const int Runs = 2048;

    /// <summary>Runs it has room for: four blocks add up to 256 to one short of the limit, and whole vectors are stored behind them.</summary>
    public const int Capacity = Runs + 320;

    /// <summary>What to allocate on the stack for one, with room to align it.</summary>
    public const int AllocationBytes = (Capacity * (sizeof(byte) + sizeof(uint) + sizeof(uint))) + 64;

    /// <summary>Codes, each with no work bit.</summary>
    public byte* Codes;

    /// <summary>Frame numbers, valid or not.</summary>
    public uint* Pfns;

    /// <summary>Pages, counted from the start of the columns: the stage's own array, or the place in the caller's that these runs will have.</summary>
    public uint* Indices;

    /// <summary>The stage's own array of them.</summary>
    public uint* OwnIndices;

    /// <summary>Runs in the stage.</summary>
    public int Count;

    /// <summary>An empty stage inside a stack allocation of <see cref="AllocationBytes"/>.</summary>
    public static RunStage In(byte* allocation)
    {
        byte* start = (byte*)(((nuint)allocation + 63) & ~(nuint)63);
        uint* pfns = (uint*)(start + Capacity);
        return new RunStage { Codes = start, Pfns = pfns, Indices = pfns + Capacity, OwnIndices = pfns + Capacity };
    }

    /// <summary>Takes out count runs at a position; those behind it move up.</summary>
    public void Remove(int at, int count)
    {
        if (count == 0)
        {
            return;
        }

        int behind = Count - at - count;
        new Span<byte>(Codes + at + count, behind).CopyTo(new Span<byte>(Codes + at, behind));
        new Span<uint>(Pfns + at + count, behind).CopyTo(new Span<uint>(Pfns + at, behind));
        new Span<uint>(Indices + at + count, behind).CopyTo(new Span<uint>(Indices + at, behind));
        Count -= count;
    }

    /// <summary>Takes out the first runs.</summary>
    public void RemoveFirst(int count)
    {
        if (Indices == OwnIndices)
        {
            Remove(0, count);
            return;
        }

        // Their indices stay where they are.
        int left = Count - count;
        new Span<byte>(Codes + count, left).CopyTo(new Span<byte>(Codes, left));
        new Span<uint>(Pfns + count, left).CopyTo(new Span<uint>(Pfns, left));
        Indices += count;
        Count = left;
    }
}
