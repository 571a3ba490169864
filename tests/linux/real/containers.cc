// Uses C++'s containers, strings, exceptions, threads and streams.
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct Tracked {
    static int alive;
    Tracked() { alive++; }
    ~Tracked() { alive--; }
};
int Tracked::alive = 0;

static int deep(int level)
{
    Tracked tracked;
    if (level == 0)
        throw std::runtime_error("thrown from the bottom");
    return deep(level - 1) + 1;
}

int main()
{
    std::map<std::string, int> counts;
    std::istringstream words("the cat and the dog and the bird");
    for (std::string word; words >> word;)
        counts[word]++;
    for (const auto &[word, count] : counts)
        std::cout << word << ' ' << count << '\n';

    std::vector<long> numbers(200000);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::cout << std::accumulate(numbers.begin(), numbers.end(), 0L) << '\n';
    std::sort(numbers.begin(), numbers.end(), [](long a, long b) { return a % 1000 < b % 1000 || (a % 1000 == b % 1000 && a < b); });
    std::cout << numbers[0] << ' ' << numbers[199999] << '\n';

    try {
        deep(100);
    } catch (const std::exception &error) {
        std::cout << error.what() << ", " << Tracked::alive << " alive\n";
    }
    try {
        std::vector<int>().at(5);
    } catch (const std::out_of_range &) {
        std::cout << "out of range\n";
    }
    try {
        std::vector<char> huge(static_cast<size_t>(1) << 46);
    } catch (const std::bad_alloc &) {
        std::cout << "bad allocation\n";
    }

    std::unordered_map<int, std::unique_ptr<std::string>> table;
    for (int i = 0; i < 50000; i++)
        table[i] = std::make_unique<std::string>(std::to_string(i));
    std::cout << table.size() << ' ' << *table[49999] << '\n';

    std::vector<std::thread> threads;
    std::vector<long> sums(4);
    for (int i = 0; i < 4; i++)
        threads.emplace_back([i, &sums] { for (long n = i; n < 100000; n += 4) sums[i] += n; });
    for (auto &thread : threads)
        thread.join();
    std::cout << std::accumulate(sums.begin(), sums.end(), 0L) << std::endl;
    return 0;
}
