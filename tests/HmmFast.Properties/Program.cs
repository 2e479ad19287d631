using System.Globalization;
using HmmFast.Kernels;
using HmmFast.Properties;

// HmmFast.Properties CHECK [--count N] [--seed S]: runs one check (or "all"). 0: holds; 1: a counterexample; 2: the call is wrong. --width: the kernels in use.
string? name = null;
int? count = null;
int? seed = null;
if (args is ["--width"])
{
    // Which kernels a process of this environment uses: what the test of the forcing variable asks.
    Console.WriteLine(KernelSet.Best.Name);
    return 0;
}

for (int i = 0; i < args.Length; i++)
{
    if (args[i] is "--count" or "--seed")
    {
        if (i + 1 >= args.Length || !int.TryParse(args[i + 1], NumberStyles.Integer, CultureInfo.InvariantCulture, out int value))
        {
            Console.Error.WriteLine($"{args[i]} takes a whole number");
            return 2;
        }

        _ = args[i] == "--count" ? count = value : seed = value;
        i++;
    }
    else
    {
        name = args[i];
    }
}

if (name is null)
{
    foreach (NamedCheck check in CheckCatalog.All)
    {
        Console.WriteLine($"{check.Name}: {check.Says}");
    }

    return 0;
}

try
{
    foreach (NamedCheck check in name == "all" ? CheckCatalog.All : [CheckCatalog.Find(name)])
    {
        CheckCatalog.Run(check.Name, Console.Error.WriteLine, count, seed);
        Console.WriteLine($"{check.Name} holds");
    }

    return 0;
}
catch (CheckFailedException failure)
{
    Console.WriteLine(failure.Message);
    return 1;
}
catch (ArgumentException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 2;
}
