Console.WriteLine("hmmfast");
